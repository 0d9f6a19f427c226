/**
 * What the attacker must catch: the wallet with one mistake in it, made while the module is loaded (`../simulation/hooks.ts`).
 * Some are what the wallet once did. Each is caught by a strategy of its own, so that none is there for show.
 */
import type { Mutant as SimulationMutant } from "../simulation/mutants.ts";

export interface Mutant extends Omit<SimulationMutant, "seed" | "why"> {
  /** The strategy that has to find it, among those that do. */
  readonly caughtBy: string;
  /** It shows only when readers come back from their recovery phrases. */
  readonly restores?: true;
}

const COINS = "wallet/core/coins.ts";
const RESERVE = "wallet/core/reserve.ts";
const SEARCH = "wallet/core/backup/search.ts";
const STOCK = "wallet/core/stock.ts";
const KEYS = "wallet/core/keys.ts";
const CALL = "wallet/provider/call.ts";

const VISIT_AFTER_PAYMENT = {
  file: STOCK,
  from: "        await tidy();\n",
  to: '        await restock({ needed: ZERO, visits: "now" });\n',
};

export const MUTANTS: readonly Mutant[] = [
  {
    name: "the DLEQ sent along",
    caughtBy: "a proof that unblinds",
    edits: [
      {
        file: COINS,
        from: '      state: "free",\n',
        to: '      state: "free",\n      dleq: { ...signature.dleq, r: blank.blindingFactor.toString(16).padStart(64, "0") },\n',
      },
      {
        file: RESERVE,
        from: "proofs: coins.map(({ amount, keysetId, secret, C }) => ({\n",
        to: "proofs: coins.map(({ amount, keysetId, secret, C, dleq }) => ({\n      dleq,\n",
      },
    ],
  },
  {
    name: "the account's token sent along",
    caughtBy: "the same bytes on both sides",
    edits: [
      {
        file: "wallet/core/payments.ts",
        from: "  const { provider } = await context.open();\n  let answer: SettleResponse;",
        to: "  const { provider, keys } = await context.open();\n  let answer: SettleResponse;",
      },
      {
        file: "wallet/core/payments.ts",
        from: "provider.settle(payment.body)",
        to: "provider.settle(payment.body, keys.account)",
      },
      {
        file: "wallet/provider/index.ts",
        from: 'settle: (body) => postText("/x402/settle", body, SettleResponse)',
        to: 'settle: (body, key) => account(key, "POST", "/x402/settle", JSON.parse(body), SettleResponse)',
      },
      {
        file: "wallet/provider/account.ts",
        from: "const aud = await options.accountsOrigin();",
        to: 'const aud = path === "/x402/settle" ? options.anonymousOrigin : await options.accountsOrigin();',
      },
    ],
  },
  {
    name: "one request for both kinds of outputs",
    caughtBy: "a chain of bytes",
    restores: true,
    edits: [
      {
        file: SEARCH,
        from: "await makeBlankCoins(context, seed, id, 0, count),",
        to: "[...(await makeBlankCoins(context, seed, id, 0, count)), ...(await makeBlankCoins(context, (await (await context.open()).keys.device(0)).withdrawSeed, id, 0, 12))],",
      },
    ],
  },
  {
    name: "a withdraw just before the payment, of its amount",
    caughtBy: "a withdraw of its amount",
    edits: [
      {
        file: "wallet/core/paying.ts",
        from: "  const prepared = await preparation.take();\n",
        to: "  await context.serially(() => withdraw(context, splitIntoCoins(amount) ?? []));\n  const prepared = await preparation.take();\n",
      },
      {
        file: "wallet/core/paying.ts",
        from: 'import { makeChangeBlanks } from "./coins.ts";\n',
        to: 'import { makeChangeBlanks } from "./coins.ts";\nimport { splitIntoCoins } from "../../shared/money.ts";\nimport { withdraw } from "./withdrawals.ts";\n',
      },
    ],
  },
  {
    name: "what was withdrawn, asked about at the anonymous origin",
    caughtBy: "a connection that carries both",
    restores: true,
    edits: [
      {
        file: SEARCH,
        from: "provider.restoreWithdrawn(keys.account, outputs)",
        to: "provider.restore(outputs)",
      },
    ],
  },
  {
    name: "withdrawn coins, asked about by themselves",
    caughtBy: "how many coins were asked about",
    restores: true,
    edits: [
      {
        file: SEARCH,
        from: "        const moved = {\n",
        to: '        if (name === "withdraw" && found.coins.length > 0) await (await context.open()).provider.checkSpent(found.coins.map(({ secret }) => yOf(secret)));\n        const moved = {\n',
      },
      {
        file: SEARCH,
        from: 'import type { BlankCoin } from "../cashu.ts";\n',
        to: 'import { type BlankCoin, yOf } from "../cashu.ts";\n',
      },
    ],
  },
  {
    name: "a withdraw before each payment",
    caughtBy: "the withdraw before it",
    edits: [
      {
        file: "wallet/core/paying.ts",
        from: "  const prepared = await preparation.take();\n",
        to: "  await stock.restock();\n  const prepared = await preparation.take();\n",
      },
      { file: STOCK, from: "const wanted = times * WITHDRAWN_AT_ONCE;", to: "const wanted = 1_000_000n;" },
    ],
  },
  {
    name: "a withdraw soon after each payment",
    caughtBy: "the withdraw after it",
    edits: [
      VISIT_AFTER_PAYMENT,
      { file: STOCK, from: "const wanted = times * WITHDRAWN_AT_ONCE;", to: "const wanted = 1_000_000n;" },
    ],
  },
  {
    name: "a look at the account soon after each payment",
    caughtBy: "the account call after it",
    edits: [
      {
        file: STOCK,
        from: "        await tidy();\n",
        to: "        await tidy();\n        await refreshAccount(context);\n",
      },
    ],
  },
  {
    name: "a backup soon after each payment",
    caughtBy: "the account call after it",
    edits: [
      {
        file: "wallet/core/backup/index.ts",
        from: "return lateMs >= 0 && lateMs <= MISSED_AFTER_MS;",
        to: 'return (await context.store.read(ownBackup)).state !== "saved";',
      },
      {
        file: STOCK,
        from: "        await tidy();\n",
        to: "        await tidy();\n        context.wakeAt(context.nowMs() + 60_000);\n",
      },
    ],
  },
  {
    name: "a look at the account whenever the worker starts",
    caughtBy: "the account call before it",
    edits: [
      {
        file: "wallet/core/resume.ts",
        from: "(await stock.nextVisitMs()) <= context.nowMs()",
        to: "(await stock.nextVisitMs()) <= Number.POSITIVE_INFINITY",
      },
      { file: "wallet/core/resume.ts", from: "stock.visitIfDue()", to: "stock.restock()" },
    ],
  },
  {
    name: "the drawer filled up to where it was, after each payment",
    caughtBy: "a withdraw of what was spent",
    edits: [
      VISIT_AFTER_PAYMENT,
      {
        file: STOCK,
        from: "const wanted = times * WITHDRAWN_AT_ONCE;",
        to: "const wanted = WITHDRAWN_AT_ONCE - valueOf(await freeCoins(context));",
      },
    ],
  },
  {
    name: "the coins withdrawn that were spent",
    caughtBy: "a withdraw of the coins that were spent",
    edits: [
      VISIT_AFTER_PAYMENT,
      {
        file: STOCK,
        from: "const wanted = times * WITHDRAWN_AT_ONCE;",
        to: "const wanted = WITHDRAWN_AT_ONCE - valueOf(await freeCoins(context));",
      },
      {
        file: STOCK,
        from: "composeCoins(payable, [])",
        to: "composeCoins(payable, await freeCoins(context))",
      },
    ],
  },
  {
    name: "the account's key as the payments' holder",
    caughtBy: "the same bytes on both sides",
    edits: [
      {
        file: KEYS,
        from: 'derive("tuppence holder v1", 32, salt)',
        to: 'derive("tuppence account v1", 32)',
      },
    ],
  },
  {
    name: "payment ids that count up from the account's id",
    caughtBy: "an id that can be computed",
    edits: [
      {
        file: KEYS,
        from: "      paymentId: (counter) => first16(paymentIdKey, bigEndian64(counter)),\n",
        to: '      paymentId: async (counter) => toHex(await sha256((await thumbprintOf((await derive("tuppence account v1", 32).then(signingKeyFromSeed)).publicJwk)) + String(counter))).slice(0, 32),\n',
      },
    ],
  },
  {
    name: "refunds into blank coins of the withdraws",
    caughtBy: "the same bytes on both sides",
    restores: true,
    // Numbers that no withdraw has come to yet.
    edits: [
      {
        file: "wallet/core/refunds.ts",
        from: "await paymentKeys.refundSeed(), keysetId, 0, amounts.length",
        to: "(await keys.device(0)).withdrawSeed, keysetId, 300, amounts.length",
      },
    ],
  },
  {
    name: "the browser's languages",
    caughtBy: "headers",
    edits: [{ file: CALL, from: '    "accept-language": "en",\n', to: "" }],
  },
  {
    name: "the browser's cookies",
    caughtBy: "headers",
    edits: [{ file: CALL, from: 'credentials: "omit"', to: 'credentials: "include"' }],
  },
  {
    name: "one connection for both origins",
    caughtBy: "a connection that carries both",
    restores: true,
    // As browsers do by HTTP/2 where one certificate names both hosts (docs/OPERATING.md).
    edits: [
      {
        file: "test/attacker/browser.ts",
        from: "const agent = new Agent({ keepAlive: true, maxSockets: 6 });",
        to: 'const agent = Object.assign(new Agent({ keepAlive: true, maxSockets: 1 }), { getName: () => "both" });',
      },
    ],
  },
];
