/** The provider of test mode, which takes what the live one signed. The live one is its keys here, and nothing else. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { sha256, toHex } from "../../../shared/bytes.ts";
import { signingKeyFromSeed, signJws, thumbprintOf } from "../../../shared/jws.ts";
import { MERCHANT, SITE } from "../../support/shop.ts";
import { type Endpoint, post } from "./genuine.ts";
import { openWorld, type World } from "./world.ts";

export async function openTestMode(): Promise<{
  readonly world: World;
  readonly endpoints: readonly Endpoint[];
  readonly close: () => Promise<void>;
}> {
  const key = await signingKeyFromSeed(new Uint8Array(randomBytes(32)));
  const keys = [{ ...key.publicJwk, kid: await thumbprintOf(key.publicJwk) }];
  const live = createServer((_, response) => response.end(JSON.stringify({ keys }))).listen(0, "127.0.0.1");
  await once(live, "listening");
  const address = live.address();
  if (address === null || typeof address === "string") throw new Error("a TCP server has a port");
  const iss = `http://127.0.0.1:${address.port}`;
  const world = await openWorld({
    TUPPENCE_MODE: "test",
    TUPPENCE_COUNTERPART: iss,
    TUPPENCE_COUNTERPART_ACCOUNTS: `http://localhost:${address.port}`,
  });

  async function handover(changes: object = {}) {
    const nonce = new Uint8Array(randomBytes(32));
    const id = `t-${toHex(randomBytes(8))}`;
    const iat = world.nowSeconds();
    const claims = {
      iss,
      aud: world.shop.accountsOrigin,
      jti: toHex(randomBytes(16)),
      nonceHash: toHex(await sha256(nonce)),
      owner: toHex(randomBytes(16)),
      merchants: [{ id, name: "The Mirror", origins: [SITE], refundsPerDay: null, payoutMinimum: "10000" }],
      iat,
      exp: iat + 60,
      ...changes,
    };
    const signed = await signJws("tuppence-handover+jwt", claims, key, "kid");
    return post("accounts", "/api/session/handover", { handover: signed, nonce: toHex(nonce) });
  }

  const endpoints: Endpoint[] = [
    {
      route: "POST /api/session/handover",
      readsOnly: true,
      kinds: {
        new: () => handover(),
        "of somebody else's merchant": () =>
          handover({ merchants: [{ id: MERCHANT, name: "Mine", origins: [SITE] }] }),
        "with what no merchant is": () =>
          handover({ merchants: [{ id: "../x", name: "\u202e", origins: 1 }] }),
      },
    },
  ];
  return {
    world,
    endpoints,
    async close() {
      live.close();
      await world.close();
    },
  };
}
