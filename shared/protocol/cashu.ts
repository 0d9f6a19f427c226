/** The messages of the Cashu specifications (NUT-00 to 09, 12, 20) that provider and wallet exchange. */
import * as v from "valibot";
import {
  cashuAmount,
  hash256,
  hex,
  keysetId,
  MAX_INPUTS,
  MAX_OUTPUTS,
  point,
  seconds,
  text,
  thumbprint,
} from "./fields.ts";

/** NUT-00. The secret is what its owner chose; its limit keeps hashing cheap. */
export const Proof = v.object({
  amount: cashuAmount,
  id: keysetId,
  secret: v.pipe(v.string(), v.minLength(1), v.maxLength(512)),
  C: point,
});
export type Proof = v.InferOutput<typeof Proof>;
/** The form on the wire, with the amount as a number. */
export type ProofJson = v.InferInput<typeof Proof>;

export const BlindedMessage = v.object({ amount: cashuAmount, id: keysetId, B_: point });
export type BlindedMessage = v.InferOutput<typeof BlindedMessage>;
export type BlindedMessageJson = v.InferInput<typeof BlindedMessage>;

/** NUT-00 with the proof of NUT-12 that the key used is the published one. */
export const BlindSignature = v.object({
  amount: cashuAmount,
  id: keysetId,
  C_: point,
  dleq: v.object({ e: hash256, s: hash256 }),
});
export type BlindSignature = v.InferOutput<typeof BlindSignature>;
export type BlindSignatureJson = v.InferInput<typeof BlindSignature>;

const proofs = v.pipe(v.array(Proof), v.minLength(1), v.maxLength(MAX_INPUTS));
export const outputs = v.pipe(v.array(BlindedMessage), v.minLength(1), v.maxLength(MAX_OUTPUTS));
const signatures = v.pipe(v.array(BlindSignature), v.maxLength(MAX_OUTPUTS));

const unit = v.pipe(v.string(), v.maxLength(20));
/** A hash, or what the provider authenticates by itself: no other text gets as far as a database. */
export const quoteId = v.pipe(
  v.string(),
  v.maxLength(100),
  v.regex(/^[A-Za-z0-9_.-]+$/, "not the id of a quote"),
);

/** NUT-01 and NUT-02. */
export const KeysResponse = v.object({
  keysets: v.array(v.object({ id: keysetId, unit, keys: v.record(v.string(), point) })),
});
export const KeysetsResponse = v.object({
  keysets: v.array(
    v.object({ id: keysetId, unit, active: v.boolean(), input_fee_ppk: v.optional(v.number(), 0) }),
  ),
});

/** NUT-03. */
export const SwapRequest = v.object({ inputs: proofs, outputs });
export const SwapResponse = v.object({ signatures });

/** NUT-04 with the method `account`, locked by NUT-20. The quote's id follows from account and key. */
export const MintQuoteRequest = v.object({
  amount: cashuAmount,
  unit,
  pubkey: v.optional(point),
  description: v.optional(text),
});
export const MintQuoteResponse = v.object({
  quote: quoteId,
  request: v.string(),
  amount: cashuAmount,
  unit,
  state: v.picklist(["UNPAID", "PAID", "ISSUED"]),
  expiry: seconds,
  pubkey: v.optional(point),
});
export type MintQuoteResponse = v.InferOutput<typeof MintQuoteResponse>;
export const MintRequest = v.object({ quote: quoteId, outputs, signature: v.optional(hex(128)) });
export const MintResponse = v.object({ signatures });

/** NUT-05 with the method `account`: `request` names the account, `amount` what is to arrive there. */
export const MeltQuoteRequest = v.object({
  request: thumbprint,
  unit,
  amount: cashuAmount,
});
export const MeltQuoteResponse = v.object({
  quote: quoteId,
  request: v.optional(v.string()),
  amount: cashuAmount,
  unit,
  fee_reserve: cashuAmount,
  state: v.picklist(["UNPAID", "PENDING", "PAID"]),
  expiry: seconds,
  payment_preimage: v.nullish(v.string()),
  change: v.optional(signatures),
});
export type MeltQuoteResponse = v.InferOutput<typeof MeltQuoteResponse>;
export const MeltRequest = v.object({
  quote: quoteId,
  inputs: proofs,
  outputs: v.optional(v.pipe(v.array(BlindedMessage), v.maxLength(MAX_OUTPUTS))),
});

/** NUT-07. */
export const CheckStateRequest = v.object({
  Ys: v.pipe(v.array(point), v.minLength(1), v.maxLength(MAX_INPUTS)),
});
export const CheckStateResponse = v.object({
  states: v.array(
    v.object({
      Y: point,
      state: v.picklist(["UNSPENT", "PENDING", "SPENT"]),
      witness: v.nullish(v.string()),
    }),
  ),
});

/** NUT-09. */
export const RestoreRequest = v.object({ outputs });
export const RestoreResponse = v.object({ outputs: v.array(BlindedMessage), signatures });

/** What a Cashu endpoint answers when it refuses: the numbers of the specification's own table. */
export const CashuError = v.object({ detail: v.string(), code: v.number() });
