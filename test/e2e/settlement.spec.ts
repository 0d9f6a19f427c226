/** What the reader paid, on its way to the merchant: one command, statements that add up, and never twice. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { OPTIONS_PAGE, UiResults } from "../../shared/protocol/ui.ts";
import { paidToMerchants, type StockedReader, stockReader, totalOf } from "../support/books.ts";
import { expect, test } from "../support/extension.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { runOperatorCommand, runTuppence } from "../support/operator.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import { approveAndClose, expectArticleOpen, paywallButton, readSnapshot } from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

/** Long enough to click "Money back" in, on a machine with other things to do. */
const REFUND_WINDOW_SECONDS = 25;
/** The fee is 10 %; a payout is in whole cents, what is left is carried forward. */
const FIRST = {
  payments: 180_000n,
  refunds: 50_000n,
  fee: 13_000n,
  carryForwardIn: 0n,
  payout: 110_000n,
  carryForwardOut: 7_000n,
};
const SECOND = {
  payments: 30_000n,
  refunds: 0n,
  fee: 3_000n,
  carryForwardIn: 7_000n,
  payout: 30_000n,
  carryForwardOut: 4_000n,
};

const Sum = v.pipe(
  v.string(),
  v.regex(/^-?[0-9]+$/),
  v.transform((digits) => BigInt(digits)),
);
const Statement = v.object({
  merchant: v.string(),
  merchantName: v.string(),
  paymentCount: v.number(),
  refundCount: v.number(),
  payments: Sum,
  refunds: Sum,
  fee: Sum,
  carryForwardIn: Sum,
  payout: Sum,
  carryForwardOut: Sum,
  lines: v.array(
    v.object({ type: v.picklist(["payment", "refund"]), id: v.string(), resource: v.string(), amount: Sum }),
  ),
});

let provider: RunningProvider;
let reader: StockedReader;
/** Gives money back for a while, and so has to be waited for. */
let patient: MerchantSite;
/** Matures at once. */
let immediate: MerchantSite;

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  [reader, patient, immediate] = await Promise.all([
    stockReader(provider),
    startMerchantSite(provider, {
      id: "patient",
      name: "Patient & Sons",
      refundWindowSeconds: REFUND_WINDOW_SECONDS,
    }),
    startMerchantSite(provider, { id: "immediate", name: "Immediate", refundWindowSeconds: 0 }),
  ]);
});
test.afterAll(async () => {
  await reader.extension.close();
  await patient.close();
  await immediate.close();
  await provider.close();
});

test("before there is anything to settle, the command pays nobody", async () => {
  const { code, output } = await runOperatorCommand(provider, "settle.ts");
  expect(code, output).toBe(0);
  expect(output).toContain("Nothing to settle");
  expect(statements()).toEqual([]);
});

test("a statement is not off by a micro: payments, refund, fee, payout and what is carried forward", async () => {
  for (const [path, price] of [
    ["/a.html", "5¢"],
    ["/b.html", "11¢"],
    ["/c.html", "2¢"],
  ] as const)
    await buy(patient, path, price);
  await buy(immediate, "/now.html", "3¢");
  const paid = await paidToMerchants(provider);

  const popup = await reader.extension.openPopup();
  await popup.getByRole("button", { name: /^Money back for Article \/a\.html, until / }).click();
  await expect(popup.getByText("Money is back")).toBeVisible();
  await popup.close();
  expect(await paidToMerchants(provider)).toBe(paid - 50_000n);

  // What can still be given back is not paid out.
  const early = await runOperatorCommand(provider, "settle.ts");
  expect(early.code, early.output).toBe(0);
  expect(statements()).toEqual(["immediate-1.csv", "immediate-1.json"]);

  await waitUntilFinal();
  const { code, output } = await runOperatorCommand(provider, "settle.ts");
  expect(code, output).toBe(0);
  expect(statements()).toEqual(["immediate-1.csv", "immediate-1.json", "patient-1.csv", "patient-1.json"]);
  const statement = readJson("patient-1.json");
  expect(statement).toMatchObject({
    merchant: "patient",
    merchantName: "Patient & Sons",
    paymentCount: 3,
    refundCount: 1,
    ...FIRST,
  });
  expectAddsUp(statement, "patient-1.csv");
  const paths = statement.lines.map(
    ({ type, resource, amount }) => `${type} ${new URL(resource).pathname} ${amount}`,
  );
  expect(paths.toSorted()).toEqual([
    "payment /a.html 50000",
    "payment /b.html 110000",
    "payment /c.html 20000",
    "refund /a.html 50000",
  ]);
  expect(await auditCode()).toBe(0);
});

test("settling twice does not pay twice, also when it is told twice at once", async () => {
  const before = statements();
  const runs = await Promise.all([
    runOperatorCommand(provider, "settle.ts"),
    runOperatorCommand(provider, "settle.ts"),
  ]);
  for (const { code, output } of runs) {
    expect(code, output).toBe(0);
    expect(output).toContain("Nothing to settle");
  }
  expect(statements()).toEqual(before);
  expect(await auditCode()).toBe(0);
});

test("what was carried forward is not lost: it stands in the next statement", async () => {
  await buy(patient, "/d.html", "3¢");
  await waitUntilFinal();
  // Two at once, of which only one may pay.
  const runs = await Promise.all([
    runOperatorCommand(provider, "settle.ts"),
    runOperatorCommand(provider, "settle.ts"),
  ]);
  for (const { code, output } of runs) expect(code, output).toBe(0);
  expect(statements().filter((file) => file.startsWith("patient"))).toEqual([
    "patient-1.csv",
    "patient-1.json",
    "patient-2.csv",
    "patient-2.json",
  ]);
  const statement = readJson("patient-2.json");
  expect(statement).toMatchObject(SECOND);
  expectAddsUp(statement, "patient-2.csv");
});

test("the merchant checks the statements with the receipts, and finds one that was altered", async () => {
  const { payments } = await readSnapshot(reader.extension);
  const bought = payments.filter(({ title }) => /^Article \/[a-d]\.html$/.test(title));
  const receipts = await Promise.all(bought.map(({ id }) => readReceipt(id)));
  expect(receipts).toHaveLength(4);
  const list = join(provider.dataFolder, "receipts.txt");
  writeFileSync(list, receipts.join("\n"));
  const files = ["patient-1.json", "patient-2.json"].map((file) =>
    join(provider.dataFolder, "statements", file),
  );
  const options = ["--receipts", list, "--provider", provider.origin];
  const { code, output } = await runTuppence(["check", ...files, ...options]);
  expect(code, output).toBe(0);
  expect(output).toContain("4 of 4 receipts found.");
  expect(output).toContain("All of it adds up.");

  // Somebody moves a payment to another address: no sum tells.
  const altered = join(provider.dataFolder, "altered.json");
  writeFileSync(altered, readText("patient-2.json").replace("/d.html", "/e.html"));
  const found = await runTuppence(["check", files[0] ?? "", altered, ...options]);
  expect(found.code, found.output).toBe(1);
  expect(found.output).toContain("patient-2: it is not what the provider signed");
  expect(found.output).toContain("is listed otherwise than its receipt says");
});

test("a reader proves with a receipt that the payment is in the merchant's statement", async () => {
  const { payments } = await readSnapshot(reader.extension);
  const last = payments.find(({ title }) => title === "Article /d.html");
  const { code, output } = await runTuppence(["prove", await readReceipt(last?.id ?? "")]);
  expect(code, output).toBe(0);
  expect(output).toContain(
    `3¢ for ${patient.addressOf("/d.html")} is in statement patient-2 of ${provider.origin}.`,
  );
});

test("after all of that the reader's money and the merchants' are what was topped up", async () => {
  const settled = ["immediate-1.json", "patient-1.json", "patient-2.json"].map(readJson);
  const received = settled.reduce((sum, { payments, refunds }) => sum + payments - refunds, 0n);
  expect((await totalOf(reader)) + received).toBe(reader.toppedUp);
  expect(await auditCode()).toBe(0);
});

/** As the wallet shows it under a payment, for whoever copies it. */
async function readReceipt(paymentId: string): Promise<string> {
  const page = await reader.extension.context.newPage();
  await page.goto(reader.extension.url(OPTIONS_PAGE));
  const answer = await page.evaluate(
    (id) => chrome.runtime.sendMessage({ kind: "ui", type: "payment", paymentId: id }),
    paymentId,
  );
  await page.close();
  return v.parse(UiResults.payment, v.parse(v.object({ ok: v.unknown() }), answer).ok).receipt?.token ?? "";
}

async function buy(site: MerchantSite, path: string, price: string): Promise<void> {
  await site.publishArticle(path, { title: `Article ${path}`, paid: "<p>Paid.</p>", price });
  const page = await reader.extension.context.newPage();
  await page.goto(site.addressOf(path));
  await paywallButton(page).click();
  await approveAndClose(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  await page.close();
}

/** Until the last refund window has ended, by the wallet's own figures; the provider's clock is the same machine's. */
async function waitUntilFinal(): Promise<void> {
  const { payments } = await readSnapshot(reader.extension);
  const endsAt = Math.max(...payments.map(({ refundableUntil }) => refundableUntil ?? 0)) + 250;
  await expect
    .poll(() => Date.now() > endsAt, { timeout: (REFUND_WINDOW_SECONDS + 10) * 1_000, intervals: [250] })
    .toBe(true);
}

function statements(): string[] {
  try {
    return readdirSync(join(provider.dataFolder, "statements")).toSorted();
  } catch {
    return [];
  }
}

function readText(file: string): string {
  return readFileSync(join(provider.dataFolder, "statements", file), "utf8");
}

function readJson(file: string): v.InferOutput<typeof Statement> {
  return v.parse(Statement, JSON.parse(readText(file)));
}

/** From the lines alone, as a merchant would, and from the CSV alone, as a spreadsheet would. */
function expectAddsUp(statement: v.InferOutput<typeof Statement>, csvFile: string): void {
  const { payments, refunds, fee, carryForwardIn, payout, carryForwardOut, lines } = statement;
  const sumOf = (type: string) =>
    lines.reduce((sum, line) => (line.type === type ? sum + line.amount : sum), 0n);
  expect(sumOf("payment")).toBe(payments);
  expect(sumOf("refund")).toBe(refunds);
  expect(carryForwardIn + payments - refunds - fee - payout).toBe(carryForwardOut);

  const [head, ...rows] = readText(csvFile)
    .trim()
    .split("\r\n")
    .map((row) => row.split(","));
  const amountColumn = head?.indexOf("amount_micros") ?? -1;
  expect(amountColumn).toBeGreaterThan(0);
  const amounts = rows.map((row) => BigInt(row[amountColumn] ?? ""));
  const last = amounts.pop();
  expect(rows.at(-1)?.[0]).toBe("carry_forward_out");
  expect(amounts.reduce((sum, amount) => sum + amount, 0n)).toBe(last);
  expect(last).toBe(carryForwardOut);
}

async function auditCode(): Promise<number | null> {
  const { code, output } = await runOperatorCommand(provider, "audit.ts");
  expect(output).toContain("no difference");
  return code;
}
