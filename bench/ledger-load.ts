/**
 * Callers that each pay, wait for the answer, and pay again, in a process of their own: started by `ledger.ts`. A payment
 * is what `/x402/settle` commits where the coins fit: one coin's transfer and the payment's record.
 */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { floatAccount, GATEWAY_CLEARING, merchantAccount } from "../server/ledger/accounts.ts";
import { deriveId } from "../server/ledger/ids.ts";
import type { Group, Ledger } from "../server/ledger/ledger.ts";
import { openLedger } from "../server/ledger/open.ts";
import { outputRecordKey, writeOutputRecord } from "../server/ledger/outputs.ts";
import { encodePaymentRecord } from "../server/payments/record.ts";
import { type Micros, micros } from "../shared/money.ts";
import { placeAt } from "../test/support/database.ts";

const { values: options } = parseArgs({
  options: {
    address: { type: "string", default: "" },
    callers: { type: "string", default: "64" },
    seconds: { type: "string", default: "5" },
  },
});
const PRICE = micros(50_000n);
/** Enough coins for every payment of a run. */
const FLOAT = micros(PRICE * 10_000_000n);
const KEYSET = `01${"ab".repeat(32)}`;
const MERCHANTS = 20;
const WARM_UP_MS = 1_000;

let unused = "";
const ledger = openLedger(placeAt(options.address), Date.now, true);
await issueCoins(ledger, FLOAT);
await payFor(WARM_UP_MS);
const before = performance.now();
const payments = await payFor(Number(options.seconds) * 1_000);
const perSecond = payments / ((performance.now() - before) / 1_000);
await ledger.close();
process.stdout.write(`${JSON.stringify({ perSecond })}\n`);

async function payFor(milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds;
  let paid = 0;
  const caller = async () => {
    while (performance.now() < end) {
      const { status } = await ledger.apply(payment());
      if (status !== "committed") throw new Error(`a payment was ${status}`);
      paid++;
    }
  };
  await Promise.all(Array.from({ length: Number(options.callers) }, caller));
  return paid;
}

function payment(): Group {
  const [groupId, coinId, paymentId] = [randomId(), randomId(), randomId()];
  const merchant = `merchant-${(coinId.codePointAt(0) ?? 0) % MERCHANTS}`;
  return {
    id: groupId,
    fingerprint: groupId + coinId,
    transfers: [
      {
        id: coinId,
        debit: floatAccount(KEYSET),
        credit: merchantAccount(merchant),
        amount: PRICE,
        code: "payment",
        reference: paymentId,
      },
    ],
    memo: encodePaymentRecord({
      merchant,
      amount: PRICE,
      currency: "USD",
      resource: "https://lantern.example/2026/11/tides-and-how-to-read-them.html",
      kind: "article",
      holder: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
      refundHash: groupId + coinId,
      refundWindowSeconds: 86_400,
      change: [],
    }),
    records: [],
  };
}

/** Stands for the hashes that ids are: the hashing of a payment, and its curve work, are measured elsewhere. */
function randomId(): string {
  if (unused.length < 32) unused = randomBytes(16_384).toString("hex");
  const id = unused.slice(0, 32);
  unused = unused.slice(32);
  return id;
}

async function issueCoins(into: Ledger, amount: Micros): Promise<void> {
  const { status } = await into.apply({
    id: deriveId("bench", "issue"),
    fingerprint: "",
    transfers: [
      {
        id: deriveId("bench transfer", "issue"),
        debit: GATEWAY_CLEARING,
        credit: floatAccount(KEYSET),
        amount,
        code: "withdraw",
        reference: "bench",
      },
    ],
    records: [
      {
        key: outputRecordKey("bench"),
        value: writeOutputRecord({ amount, keysetId: KEYSET, reference: "bench" }),
      },
    ],
  });
  if (status !== "committed" && status !== "exists") throw new Error(`the coins were ${status}`);
}
