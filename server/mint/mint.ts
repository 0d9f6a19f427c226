/**
 * The mint, as the other domains see it: it knows what a genuine coin is and can sign blank ones. It moves no
 * money: whoever calls it commits the group of transfers first, and signs after that.
 */

import type { Micros } from "../../shared/money.ts";
import type { BlindedMessage, BlindSignatureJson, Proof } from "../../shared/protocol/cashu.ts";
import type { LedgerRecord, TransferId } from "../ledger/ledger.ts";

/** A genuine coin and the transfer by which it is spent, whoever spends it. */
export interface GenuineCoin {
  /** hash_to_curve(secret), compressed, hex. */
  readonly y: string;
  readonly transferId: TransferId;
  readonly amount: Micros;
  readonly keysetId: string;
}

/**
 * `fresh`: made now, so under the active keyset. `promised`: change and refund outputs, which a wallet made, and a site may
 * carry, before anyone could tell it that the keyset has ended (docs/decisions/0023-promised-outputs.md).
 */
export type OutputKind = "fresh" | "promised";

/** Outputs in good form under one keyset that signs them, with the records (`output:<B_>`) by which each is signed at most once. */
export interface PreparedOutputs {
  readonly outputs: readonly BlindedMessage[];
  readonly total: Micros;
  readonly keysetId: string;
  readonly records: readonly LedgerRecord[];
}

export interface Mint {
  readonly unit: string;
  activeKeysetId(): string;
  /** @throws TuppenceError coin_invalid, coin_repeated, keyset_unknown */
  verifyCoins(proofs: readonly Proof[]): Promise<readonly GenuineCoin[]>;
  /** @throws TuppenceError outputs_invalid, keyset_unknown. `reference` is the payment, quote or swap they belong to. */
  prepareOutputs(outputs: readonly BlindedMessage[], reference: string, kind?: OutputKind): PreparedOutputs;
  /** Deterministic, DLEQ included (NUT-12), so that a replay gives the same signatures. Only after the commit. */
  sign(outputs: readonly BlindedMessage[]): Promise<BlindSignatureJson[]>;
}
