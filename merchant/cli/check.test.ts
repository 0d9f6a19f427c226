/** `tuppence check` and `tuppence prove` on statements of a real provider, each falsified in another way. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { grantRefund } from "../../server/payments/grant.ts";
import { COLLECT_WITHIN_SECONDS } from "../../server/payments/uncollected.ts";
import { settleAll } from "../../server/settlement/index.ts";
import { signingKeyFromSeed } from "../../shared/jws.ts";
import { Jwks, RefundResponse } from "../../shared/protocol/provider.ts";
import { StatementFile, signStatementRoot } from "../../shared/statement.ts";
import { makeBlankCoins, openCoins } from "../../test/support/coins.ts";
import {
  MERCHANT,
  openShop,
  paid,
  REFUND_WINDOW_SECONDS,
  type Shop,
  signatureJson,
} from "../../test/support/shop.ts";
import { runCheck } from "./check.ts";
import { CommandError } from "./problem.ts";
import { runProve } from "./prove.ts";
import { checkStatements } from "./statement-check.ts";

type Line = { type: "payment" | "refund"; id: string; amount: string; time: string; resource: string };
type File = Record<string, unknown> & { lines: Line[]; signedRoot: string };

let shop: Shop;
let folder: string;
/** As the provider gave them out, of the first settlement and the second. */
let statements: readonly [string, string];
/** Of all payments, in their order: three in the first settlement, the second of which was given back, two in the second. */
let receipts: string[];
let printed: string[];
/** What stands between the command and the provider. */
let intercept: (path: string) => Response | undefined;

beforeAll(async () => {
  shop = await openShop();
  folder = await mkdtemp(join(tmpdir(), "check-"));
  receipts = [];
  const pay = async (amount: number) => {
    const made = await shop.pay(shop.offer({ amount: BigInt(amount) }), [amount]);
    receipts.push(paid(made.answer).receipt);
    shop.clock.now += 5_000;
    return made;
  };
  const settle = async () => {
    shop.clock.now += REFUND_WINDOW_SECONDS * 1_000;
    await settleAll(shop.deps, { now: shop.clock.now });
  };
  await pay(200_000);
  const refunded = await pay(100_000);
  const blanks = makeBlankCoins(shop.deps.mint.activeKeysetId(), [100_000]);
  const { signatures } = v.parse(RefundResponse, (await shop.refund(refunded, blanks)).json);
  shop.bookCoins(openCoins(shop.deps, blanks, signatures.map(signatureJson)));
  await pay(5_000);
  await settle();
  await pay(50_000);
  await pay(50_000);
  await settle();
  statements = [await statementText(1), await statementText(2)];
  // Not settled yet.
  await pay(10_000);
});
afterAll(async () => {
  await shop.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  printed = [];
  intercept = () => undefined;
});

async function statementText(number: number): Promise<string> {
  return (await shop.operator("GET", `/admin/settlements/${MERCHANT}-${number}`)).text;
}

const deps = {
  fetch: async (address: string | URL | Request) => {
    const path = new URL(String(address)).pathname;
    const answer = await shop.anonymous("GET", path);
    return intercept(path) ?? new Response(answer.text, { status: answer.status });
  },
  now: Date.now,
  print: (line: string) => void printed.push(line),
  write: () => undefined,
  note: (line: string) => void printed.push(line),
};

async function fileWith(name: string, content: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** What is found in both statements, after the second was changed, with the receipts from `kept`. */
async function check(
  change: (second: File) => void = () => undefined,
  kept: readonly string[] = receipts,
): Promise<{ readonly isWell: boolean; readonly problems: string[]; readonly said: string }> {
  const second: File = JSON.parse(statements[1]);
  change(second);
  const files = [await fileWith("2.json", JSON.stringify(second)), await fileWith("1.json", statements[0])];
  const list = await fileWith("receipts.txt", kept.join("\n"));
  const isWell = await runCheck([...files, "--receipts", list, "--provider", shop.origin], deps);
  return {
    isWell,
    problems: printed.filter((line) => line.startsWith("✗ ")).map((line) => line.slice(2)),
    said: printed.join("\n"),
  };
}

test("finds nothing wrong with statements as they are, and every receipt that is settled", async () => {
  const { isWell, problems, said } = await check();
  expect([isWell, problems]).toEqual([true, []]);
  expect(said).toContain(
    `${MERCHANT}-1  2026-11-23  3 payments of $0.305, 1 refunds of $0.10, fee 10 %, pays out $0.18`,
  );
  expect(said).toContain("5 of 6 receipts found.");
  expect(said).toContain("1 receipts are newer than the last payment here (2026-11-23T");
});

test("needs no network where the keys were kept, and says what was not checked without them", async () => {
  const offline = {
    ...deps,
    fetch: async () => {
      throw new Error("nobody may be asked");
    },
  };
  const file = await fileWith("1.json", statements[0]);
  const keys = await fileWith("keys.json", (await shop.anonymous("GET", "/.well-known/jwks.json")).text);
  expect(await runCheck([file, "--keys", keys], offline)).toBe(true);
  expect(printed.join("\n")).not.toContain("not checked");
  expect(await runCheck([file], offline)).toBe(true);
  expect(printed.join("\n")).toContain("The provider's signature was not checked");
});

/** Each is done to the second statement by somebody who minds the sums. */
const FALSIFIED: readonly (readonly [string, (second: File) => void, RegExp])[] = [
  [
    "a payment left out",
    (second) => {
      second.lines.pop();
      Object.assign(second, {
        paymentCount: 1,
        payments: "50000",
        fee: "5000",
        carryForwardOut: "4500",
        payout: "40000",
      });
    },
    /^the-lantern-2: it is not what the provider signed/,
  ],
  [
    "an amount",
    (second) => changeLine(second, { amount: "40000" }),
    /^the-lantern-2: it lists 2 payments of \$0\.09/,
  ],
  [
    "an address",
    (second) => changeLine(second, { resource: "https://lantern.example/else" }),
    /not what the provider signed/,
  ],
  [
    "a time",
    (second) => changeLine(second, { time: "2026-11-23T12:05:00.000Z" }),
    /not what the provider signed/,
  ],
  [
    "a payment listed twice",
    (second) => void second.lines.push(...second.lines.slice(0, 1)),
    /is listed twice/,
  ],
  [
    "a refund that was none",
    (second) => {
      const [line] = second.lines;
      if (line) second.lines.push({ ...line, type: "refund" });
    },
    /it lists 1 refunds of \$0\.05, and says 0 of/,
  ],
  [
    "the fee",
    (second) => void Object.assign(second, { fee: "20000" }),
    /its fee is \$0\.02; 10 % come to \$0\.01\.$/,
  ],
  [
    "what it carries forward",
    (second) => void Object.assign(second, { carryForwardOut: "1" }),
    /and carries .* forward/,
  ],
  [
    "what it brought in",
    (second) => void Object.assign(second, { carryForwardIn: "14500", carryForwardOut: "14500" }),
    /does not begin with what the-lantern-1 carried forward/,
  ],
  [
    "where it begins",
    (second) => void Object.assign(second, { afterSequence: 999_999 }),
    /does not begin where the-lantern-1 ends/,
  ],
  ["its number", (second) => void Object.assign(second, { number: 3 }), /its root is that of the-lantern-2/],
  [
    "its merchant",
    (second) => void Object.assign(second, { merchant: "the-beacon" }),
    /^the-beacon-2: it is of another merchant/,
  ],
  [
    "its signature",
    (second) => void Object.assign(second, { signedRoot: `${second.signedRoot.slice(0, -4)}AAAA` }),
    /not signed by the provider/,
  ],
];

test.each(FALSIFIED)("finds that somebody changed %s", async (_, change, sentence) => {
  const { isWell, problems } = await check(change);
  expect(isWell).toBe(false);
  expect(problems).toContainEqual(expect.stringMatching(sentence));
});

test("finds a payment that was left out and signed so, by the receipt that the merchant kept", async () => {
  // A provider that signs two roots: only then nothing in the statement itself tells.
  const { signingKey } = shop.deps.secrets;
  const { computeRoot } = await import("../../server/settlement/statement-root.ts");
  const { readStatement } = await import("../../server/settlement/statement.ts");
  const true2 = await readStatement(shop.deps.ledger, { id: MERCHANT, name: "x" }, 2);
  if (!true2) throw new Error("a statement");
  const settlement = {
    ...true2.settlement,
    paymentCount: 1,
    payments: 50_000n as typeof true2.settlement.payments,
    fee: 5_000n as typeof true2.settlement.fee,
    payout: 40_000n as typeof true2.settlement.payout,
  };
  const carried = settlement.carryForwardIn + 50_000n - 5_000n - 40_000n;
  const forged = { ...settlement, carryForwardOut: carried as typeof settlement.carryForwardOut };
  async function* lines() {
    for await (const line of true2?.lines() ?? []) if (line.id !== leftOut) yield line;
  }
  const leftOut = JSON.parse(statements[1]).lines[0].id;
  const root = await computeRoot({ ...true2, settlement: forged, lines });
  const claims = { iss: shop.origin, aud: MERCHANT, number: 2, root, iat: 1 };
  const signedRoot = await signStatementRoot(claims, signingKey);
  const { problems } = await check((second) => {
    second.lines.shift();
    Object.assign(second, {
      paymentCount: 1,
      payments: "50000",
      fee: "5000",
      payout: "40000",
      carryForwardOut: carried.toString(),
      signedRoot,
    });
  });
  expect(problems).toEqual([
    `payment ${leftOut} was left out: its receipt is from the time that is covered.`,
    "the-lantern-2: the provider publishes another root for it, or none.",
  ]);
});

test("finds receipts that are not the provider's, or say otherwise than the statement", async () => {
  const [first = ""] = receipts;
  const { problems } = await check(undefined, [`${first.slice(0, -4)}AAAA`, "nonsense"]);
  expect(problems).toEqual(["receipt 1 is none of the provider's.", "receipt 2 is none of the provider's."]);
});

test("finds that statements are missing in between", async () => {
  const { problems } = await check((second) => void Object.assign(second, { number: 4 }));
  expect(problems).toContainEqual(expect.stringContaining("it does not follow the-lantern-1"));
});

test("accuses nobody where the provider does not answer", async () => {
  intercept = (path) =>
    path.includes("/settlements/")
      ? Response.json({ title: "Too many requests." }, { status: 429 })
      : undefined;
  await expect(check()).rejects.toThrow("The provider does not say which root it publishes");
});

test("says where the fee changed, and what is taken on trust", async () => {
  const { said } = await check((second) => void Object.assign(second, { feeBasisPoints: 900 }));
  expect(said).toContain("the-lantern-2: the fee is 9 %, and was 10 % before.");
  const file = await fileWith("2.json", statements[1]);
  expect(await runCheck([file, "--provider", shop.origin], deps)).toBe(true);
  expect(printed.at(-2)).toMatch(/^· the-lantern-2 brings in \$0\.00[0-9]*: whether that is right/);
});

test("finds a provider that publishes another root, or none", async () => {
  const other = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  const claims = { iss: shop.origin, aud: MERCHANT, number: 2, root: "0".repeat(64), iat: 1 };
  for (const key of [shop.deps.secrets.signingKey, other]) {
    printed = [];
    const signedRoot = await signStatementRoot(claims, key);
    intercept = (path) => (path.endsWith("/settlements/2") ? Response.json({ signedRoot }) : undefined);
    expect((await check()).problems).toEqual([
      "the-lantern-2: the provider publishes another root for it, or none.",
    ]);
  }
});

test("says in a sentence what is no statement, no file, no key and no option", async () => {
  const statement = await fileWith("1.json", statements[0]);
  const { signedRoot: _, ...unsigned } = JSON.parse(statements[0]);
  for (const [args, sentence] of [
    [[join(folder, "none.json")], /none\.json cannot be read\.$/],
    [[await fileWith("text.json", "hello")], /text\.json is not JSON\.$/],
    [[await fileWith("old.json", JSON.stringify(unsigned))], /signedRoot.*ask for them anew/],
    [[statement, "--keys", statement], /holds no keys/],
    [[statement, "--provider", "here"], /--provider here is not an address such as/],
    [[statement, "--provider", "localhost:4020"], /is not an address such as/],
    [[statement, "--what"], /--help says what there is\.$/],
  ] as const) {
    const ended = runCheck(args, deps);
    await expect(ended).rejects.toThrow(CommandError);
    await expect(ended).rejects.toThrow(sentence);
  }
});

test("proves by a receipt alone that its payment is in a statement, and believes no answer that proves nothing", async () => {
  const [first = "", second = ""] = receipts;
  expect(await runProve([await fileWith("receipt.txt", `${first}\n`)], deps)).toBe(true);
  expect(await runProve([second], deps), "also what was given back").toBe(true);
  expect(printed).toEqual([
    `✓ 20¢ for https://lantern.example/tides.html is in statement ${MERCHANT}-1 of ${shop.origin}.`,
    `✓ 10¢ for https://lantern.example/tides.html is in statement ${MERCHANT}-1 of ${shop.origin}.`,
  ]);
  const path = `/payments/${JSON.parse(statements[1]).lines[0].id}/inclusion`;
  const another = await shop.anonymous("GET", path);
  intercept = (asked) => (asked.endsWith("/inclusion") ? new Response(another.text) : undefined);
  expect(await runProve([first], deps)).toBe(false);
  intercept = () => undefined;
  await expect(runProve([receipts.at(-1) ?? ""], deps)).rejects.toThrow("This payment is not settled yet.");
  await expect(runProve(["nonsense"], deps)).rejects.toThrow("That is no receipt");
  await expect(runProve(["--what"], deps)).rejects.toThrow("--help says what there is.");
  await expect(runProve([first, "--provider", "https://else.example"], deps)).rejects.toThrow(
    `The receipt is of ${shop.origin}, not of https://else.example.`,
  );
});

function changeLine(statement: File, change: Partial<Line>): void {
  Object.assign(statement.lines[0] ?? {}, change);
}

test("adds up statements with refunds of payments of those before, and with some that nobody fetched", async () => {
  const other = await openShop();
  const settle = async () => {
    other.clock.now += REFUND_WINDOW_SECONDS * 1_000;
    await settleAll(other.deps, { now: other.clock.now });
  };
  const pay = (amount: number) => other.pay(other.offer({ amount: BigInt(amount) }), [amount]);
  const [early, late, twice] = [await pay(50_000), await pay(200_000), await pay(20_000)];
  await grantRefund(other.deps, MERCHANT, early.payment.paymentId);
  await settle();
  await grantRefund(other.deps, MERCHANT, late.payment.paymentId);
  await grantRefund(other.deps, MERCHANT, twice.payment.paymentId);
  await pay(500_000);
  await settle();
  other.clock.now += COLLECT_WITHIN_SECONDS * 1_000;
  await pay(100_000);
  await settle();
  await other.assertAddsUp();
  const files: string[] = [];
  for (const number of [1, 2, 3])
    files.push((await other.operator("GET", `/admin/settlements/${MERCHANT}-${number}`)).text);
  const { keys } = v.parse(Jwks, (await other.anonymous("GET", "/.well-known/jwks.json")).json);
  const parsed = () => files.map((text) => v.parse(StatementFile, JSON.parse(text)));
  await other.close();

  const types = parsed().map(({ lines }) => lines.map(({ type }) => type));
  expect(types).toEqual([
    ["payment", "payment", "payment", "refund"],
    ["payment", "late_refund", "late_refund"],
    ["payment", "uncollected_refund", "uncollected_refund", "uncollected_refund"],
  ]);
  expect((await checkStatements(parsed(), [], { keys })).problems).toEqual([]);
  const problemsAfter = async (change: (files: ReturnType<typeof parsed>) => void) => {
    const changed = parsed();
    change(changed);
    return (await checkStatements(changed, [], undefined)).problems.join("\n");
  };
  expect(await problemsAfter(([, second]) => void second?.lines.pop())).toMatch(
    /lists 1 late refunds of \$0\.20, and says 2 of \$0\.22/,
  );
  expect(await problemsAfter(([, , third]) => void third?.lines.pop())).toMatch(
    /lists 2 refunds that nobody fetched/,
  );
  const replace = (from: number, line: number, by: string) => (all: ReturnType<typeof parsed>) => {
    const found = all[from]?.lines[line];
    if (found) found.id = by;
  };
  expect(await problemsAfter(replace(1, 2, late.payment.paymentId))).toMatch(/given back twice/);
  expect(await problemsAfter(replace(1, 2, "0".repeat(32)))).toMatch(/of no payment with that amount/);
  expect(await problemsAfter(replace(2, 2, early.payment.paymentId))).toMatch(/comes in twice/);
  expect(await problemsAfter(replace(2, 2, "0".repeat(32)))).toMatch(/was not given back before/);
  expect(
    await problemsAfter(([, second]) => {
      if (second) second.upToLateRefund = 3;
    }),
  ).toMatch(/late refunds do not follow/);
});
