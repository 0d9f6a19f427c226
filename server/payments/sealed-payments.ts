/**
 * Opens sealed payments. A site has each of them verified and settled within moments, and opening one costs a key exchange and
 * several hashes, so what was opened is kept for the second time.
 */
import { hash } from "node:crypto";
import * as v from "valibot";
import { fromUtf8 } from "../../shared/bytes.ts";
import { openSealed, type SealedBytes } from "../../shared/hpke.ts";
import { Payment } from "../../shared/protocol/x402.ts";
import { forgetOldest } from "./forget-oldest.ts";

export interface SealedPaymentReader {
  /** Undefined: it is sealed to another key, bound to something else, or no payment. @param binding `paymentBinding` */
  open(binding: string, sealed: SealedBytes): Promise<Payment | undefined>;
}

/** At most 16 MB. What is longer has more coins than a payment needs, and is opened twice. */
const MAX_KEPT = 2_000;
const MAX_KEPT_LENGTH = 8_192;

export function createSealedPaymentReader(sealingKey: CryptoKeyPair): SealedPaymentReader {
  const kept = new Map<string, Payment>();

  async function read(binding: string, sealed: SealedBytes): Promise<Payment | undefined> {
    const content = await openSealed(sealingKey, "tuppence payment v1", binding, sealed);
    const payment = content && v.safeParse(Payment, parseJson(content));
    return payment?.success ? payment.output : undefined;
  }

  return {
    async open(binding, { enc, ct }) {
      const key = hash("sha256", JSON.stringify([binding, enc, ct]), "base64url");
      const before = kept.get(key);
      if (before) {
        kept.delete(key);
        return before;
      }
      const payment = await read(binding, { enc, ct });
      if (!payment || ct.length > MAX_KEPT_LENGTH) return payment;
      if (kept.size >= MAX_KEPT) forgetOldest(kept);
      kept.set(key, payment);
      return payment;
    },
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes));
  } catch {
    return undefined;
  }
}
