/** The mint (`mint.ts`) over its keysets and the pool of threads. It follows the list of keysets while it runs. */
import { statSync } from "node:fs";
import { TuppenceError } from "../../shared/errors.ts";
import { add, type Micros, micros } from "../../shared/money.ts";
import type { BlindedMessage, BlindSignatureJson, Proof } from "../../shared/protocol/cashu.ts";
import { coinTransferId } from "../ledger/ids.ts";
import { outputRecordKey, writeOutputRecord } from "../ledger/outputs.ts";
import { isPoint } from "./curve.ts";
import { openCurvePool } from "./curve-pool.ts";
import { type Keyset, openKeysets } from "./keysets.ts";
import type { GenuineCoin, Mint, OutputKind, PreparedOutputs } from "./mint.ts";

export interface MintOptions {
  readonly unit: string;
  readonly masterSecret: Uint8Array;
  /** The file of the public list of keysets. */
  readonly keysetLogPath: string;
  readonly threads: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The list of keysets changed and cannot be followed: the mint goes on as before. */
  readonly onFault: (error: unknown) => void;
}

/** How soon a rotation is noticed. */
const LOOK_EVERY_MILLISECONDS = 1_000;
/** How long a keyset that ended still signs what was promised. More than the longest that an offer is good for. */
const PROMISE_SECONDS = 3_600;

/** What the mint's own routes need beyond what the other domains see. */
export interface MintWithKeys extends Mint {
  keysets(): readonly Keyset[];
  keysetLog(): readonly { readonly id: string; readonly unit: string; readonly since: number }[];
  /** Coins to verify and outputs to sign that wait for a thread. */
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
  onFault,
}: MintOptions): Promise<MintWithKeys> {
  const read = () =>
    openKeysets({ masterSecret, unit, path: keysetLogPath, nowSeconds: Math.floor(now() / 1_000) });
  let keysets = read();
  let seen = versionOf(keysetLogPath);
  const follow = (): void => {
    try {
      const version = versionOf(keysetLogPath);
      if (version === seen) return;
      seen = version;
      const longer = read();
      if (keysets.some(({ id }, index) => longer[index]?.id !== id))
        throw new Error("the list of keysets lost some that were in it");
      keysets = longer;
    } catch (error) {
      onFault(error);
    }
  };
  const looking = setInterval(follow, LOOK_EVERY_MILLISECONDS);
  looking.unref();
  const pool = openCurvePool(threads);
  /** A signature that was right stays right: whoever asks twice about the same list is answered from here. */
  const genuine = new WeakMap<readonly Proof[], readonly GenuineCoin[]>();

  const find = (id: string): Keyset => {
    const keyset = keysets.find((candidate) => candidate.id === id);
    if (!keyset) throw new TuppenceError("keyset_unknown");
    return keyset;
  };
  const active = (): Keyset => {
    const last = keysets.at(-1);
    if (!last) throw new Error("a mint has a keyset");
    return last;
  };
  const maySign = ({ endedAt }: Keyset, kind: OutputKind): boolean =>
    endedAt === undefined || (kind === "promised" && now() < (endedAt + PROMISE_SECONDS) * 1_000);

  return {
    unit,
    activeKeysetId: () => active().id,
    keysets: () => keysets,
    keysetLog: () => keysets.map(({ id, since }) => ({ id, unit, since })),

    async verifyCoins(proofs: readonly Proof[]): Promise<readonly GenuineCoin[]> {
      const before = genuine.get(proofs);
      if (before) return before;
      if (new Set(proofs.map(({ secret }) => secret)).size !== proofs.length)
        throw new TuppenceError("coin_repeated");
      const coins = proofs.map(({ amount, id, secret, C }) => {
        const key = find(id).privateKeys.get(amount);
        if (!key) throw new TuppenceError("coin_invalid");
        return { key, secret, C };
      });
      const results = await pool.verify(coins);
      const found = proofs.map(({ amount, id }, index) => {
        const result = results[index];
        if (!result?.genuine) throw new TuppenceError("coin_invalid");
        return { y: result.y, transferId: coinTransferId(result.y), amount, keysetId: id };
      });
      genuine.set(proofs, found);
      return found;
    },

    prepareOutputs(
      outputs: readonly BlindedMessage[],
      reference: string,
      kind: OutputKind = "fresh",
    ): PreparedOutputs {
      if (new Set(outputs.map(({ B_ }) => B_)).size !== outputs.length)
        throw new TuppenceError("outputs_invalid", { problem: "repeated" });
      const keysetId = outputs[0]?.id ?? active().id;
      for (const { amount, id, B_ } of outputs) {
        const keyset = find(id);
        if (!maySign(keyset, kind)) throw new TuppenceError("keyset_unknown", { problem: "inactive" });
        if (id !== keysetId) throw new TuppenceError("outputs_invalid", { problem: "keyset" });
        if (!keyset.publicKeys.has(amount)) throw new TuppenceError("outputs_invalid", { problem: "amount" });
        if (!isPoint(B_)) throw new TuppenceError("outputs_invalid", { problem: "point" });
      }
      return {
        outputs,
        total: total(outputs),
        keysetId,
        records: outputs.map(({ amount, id, B_ }) => ({
          key: outputRecordKey(B_),
          value: writeOutputRecord({ amount, keysetId: id, reference }),
        })),
      };
    },

    async sign(outputs: readonly BlindedMessage[]): Promise<BlindSignatureJson[]> {
      const signatures = await pool.sign(
        outputs.map(({ amount, id, B_ }) => {
          const key = find(id).privateKeys.get(amount);
          if (!key) throw new Error("what is signed was prepared");
          return { key, B_ };
        }),
      );
      return outputs.map(({ amount, id }, index) => {
        const signature = signatures[index];
        if (!signature) throw new Error("every output has its signature");
        return { amount: Number(amount), id, C_: signature.C_, dleq: { e: signature.e, s: signature.s } };
      });
    },

    curveQueueLength: () => pool.queueLength(),
    ping: () => pool.ping(),
    async close() {
      clearInterval(looking);
      await pool.close();
    },
  };
}

/** Another one after every rotation: the file is replaced as a whole. */
function versionOf(path: string): string {
  const { ino, mtimeMs, size } = statSync(path);
  return `${ino} ${mtimeMs} ${size}`;
}

function total(outputs: readonly BlindedMessage[]): Micros {
  return outputs.length === 0 ? micros(0n) : add(...outputs.map(({ amount }) => amount));
}
