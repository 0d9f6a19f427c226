/** NUT-06. */

import { createHmac } from "node:crypto";
import { MAX_INPUTS, MAX_OUTPUTS } from "../../shared/protocol/fields.ts";
import { publicKeyOf } from "./curve.ts";
import type { MintDeps } from "./deps.ts";

export function mintInfo({ config, secrets, now }: MintDeps): object {
  const method = { method: "account", unit: config.unit };
  return {
    name: config.name,
    // The mint's own identity; it signs nothing with it.
    pubkey: publicKeyOf(
      createHmac("sha256", secrets.mintMaster).update("tuppence mint identity v1").digest(),
    ),
    version: "Tuppence/0.1.0",
    description: "Coins for very small payments.",
    urls: [config.accountsOrigin, config.origin],
    time: Math.floor(now() / 1_000),
    limits: { max_inputs: MAX_INPUTS, max_outputs: MAX_OUTPUTS },
    nuts: {
      "4": {
        methods: [{ ...method, min_amount: 1_000, max_amount: Number(config.topUpPerDay) }],
        disabled: false,
      },
      "5": {
        methods: [{ ...method, min_amount: 1_000, max_amount: Number(config.topUpPerDay) }],
        disabled: false,
      },
      "7": { supported: true },
      "8": { supported: true },
      "9": { supported: true },
      "12": { supported: true },
      "20": { supported: true },
    },
  };
}
