/** The mint (`mint.ts`) over its keysets and the pool of threads. */
import { TuppenceError } from "../../shared/errors.ts";
import { add, type Micros, micros } from "../../shared/money.ts";
import type { BlindedMessage, BlindSignatureJson, Proof } from "../../shared/protocol/cashu.ts";
import { coinTransferId } from "../ledger/ids.ts";
import { outputRecordKey, writeOutputRecord } from "../ledger/outputs.ts";
import { isPoint } from "./curve.ts";
import { openCurvePool } from "./curve-pool.ts";
import { keyName } from "./curve-tasks.ts";
import { type Keyset, openKeysets } from "./keysets.ts";
import type { GenuineCoin, Mint, PreparedOutputs } from "./mint.ts";

export interface MintOptions {
  readonly unit: string;
  readonly masterSecret: Uint8Array;
  /** The file of the public list of keysets. */
  readonly keysetLogPath: string;
  readonly threads: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What the mint's own routes need beyond what the other domains see. */
export interface MintWithKeys extends Mint {
  keysets(): readonly Keyset[];
  keysetLog(): readonly { readonly id: string; readonly unit: string; readonly since: number }[];
  /** Pieces of curve work that wait for a thread. */
  curveQueueLength(): number;
  /** Resolves when the threads for curve work answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export async function openMint({
  unit,
  masterSecret,
  keysetLogPath,
  threads,
  now,
}: MintOptions): Promise<MintWithKeys> {
  const keysets = openKeysets({
    masterSecret,
    unit,
    path: keysetLogPath,
    nowSeconds: Math.floor(now() / 1_000),
  });
  const active = keysets.at(-1);
  if (!active) throw new Error("a mint has a keyset");
  const byId = new Map(keysets.map((keyset) => [keyset.id, keyset]));
  const pool = openCurvePool(
    new Map(
      keysets.flatMap((keyset) =>
        [...keyset.privateKeys].map(([amount, key]) => [keyName(keyset.id, amount), key]),
      ),
    ),
    threads,
  );

  return {
    unit,
    activeKeysetId: () => active.id,
    keysets: () => keysets,
    keysetLog: () => keysets.map(({ id, since }) => ({ id, unit, since })),

    async verifyCoins(proofs: readonly Proof[]): Promise<readonly GenuineCoin[]> {
      if (new Set(proofs.map(({ secret }) => secret)).size !== proofs.length)
        throw new TuppenceError("coin_repeated");
      const coins = proofs.map(({ amount, id, secret, C }) => {
        const keyset = byId.get(id);
        if (!keyset) throw new TuppenceError("keyset_unknown");
        if (!keyset.privateKeys.has(amount)) throw new TuppenceError("coin_invalid");
        return { key: keyName(id, amount), secret, C };
      });
      const results = await pool.verify(coins);
      return proofs.map(({ amount, id }, index) => {
        const result = results[index];
        if (!result?.genuine) throw new TuppenceError("coin_invalid");
        return { y: result.y, transferId: coinTransferId(result.y), amount, keysetId: id };
      });
    },

    prepareOutputs(outputs: readonly BlindedMessage[], reference: string): PreparedOutputs {
      if (new Set(outputs.map(({ B_ }) => B_)).size !== outputs.length)
        throw new TuppenceError("outputs_invalid", { problem: "repeated" });
      for (const { amount, id, B_ } of outputs) {
        const keyset = byId.get(id);
        if (!keyset) throw new TuppenceError("keyset_unknown");
        if (!keyset.active) throw new TuppenceError("keyset_unknown", { problem: "inactive" });
        if (!keyset.publicKeys.has(amount)) throw new TuppenceError("outputs_invalid", { problem: "amount" });
        if (!isPoint(B_)) throw new TuppenceError("outputs_invalid", { problem: "point" });
      }
      return {
        outputs,
        total: total(outputs),
        keysetId: active.id,
        records: outputs.map(({ amount, id, B_ }) => ({
          key: outputRecordKey(B_),
          value: writeOutputRecord({ amount, keysetId: id, reference }),
        })),
      };
    },

    async sign(outputs: readonly BlindedMessage[]): Promise<BlindSignatureJson[]> {
      const signatures = await pool.sign(
        outputs.map(({ amount, id, B_ }) => ({ key: keyName(id, amount), B_ })),
      );
      return outputs.map(({ amount, id }, index) => {
        const signature = signatures[index];
        if (!signature) throw new Error("every output has its signature");
        return { amount: Number(amount), id, C_: signature.C_, dleq: { e: signature.e, s: signature.s } };
      });
    },

    curveQueueLength: () => pool.queueLength(),
    ping: () => pool.ping(),
    close: () => pool.close(),
  };
}

function total(outputs: readonly BlindedMessage[]): Micros {
  return outputs.length === 0 ? micros(0n) : add(...outputs.map(({ amount }) => amount));
}
