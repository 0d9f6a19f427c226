/** What the payments need. The composition root hands it in. */
import type { SigningKey } from "../../shared/jws.ts";
import type { Micros } from "../../shared/money.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { MerchantStore } from "../merchants/index.ts";
import type { Mint } from "../mint/index.ts";
import type { SealedPaymentReader } from "./sealed-payments.ts";
import type { SealReader } from "./seals.ts";

export interface PaymentDeps {
  readonly ledger: Ledger;
  readonly mint: Mint;
  readonly merchants: Pick<MerchantStore, "get">;
  readonly seals: SealReader;
  readonly sealedPayments: SealedPaymentReader;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly config: {
    /** The anonymous origin. */
    readonly origin: string;
    readonly currency: string;
    readonly largestPayment: Micros;
  };
  readonly secrets: {
    /** Signs receipts. */
    readonly signingKey: SigningKey;
  };
}
