/** Genuine requests of the payments, refunds and receipts. */
import { grantRefund } from "../../../server/payments/grant.ts";
import { signJws } from "../../../shared/jws.ts";
import { makeBlankCoins } from "../../support/coins.ts";
import { type MadePayment, MERCHANT, REFUND_WINDOW_SECONDS } from "../../support/shop.ts";
import { type Endpoint, type Genuine, get, post } from "./genuine.ts";
import type { World } from "./world.ts";

const PRICE = 50_000;

export function paymentEndpoints(world: World): Endpoint[] {
  const { shop, deps } = world;

  const ready = async (
    coins: readonly number[],
    blanks: number,
    body: (made: MadePayment) => unknown,
    path = "/x402/settle",
  ): Promise<Genuine> =>
    post("anonymous", path, await body(await shop.makePayment(await shop.withdraw(...coins), blanks)));

  const direct = ({ payment }: MadePayment) => shop.directBody(shop.offer(), payment);
  const sealed = ({ payment }: MadePayment) => shop.sealedBody(shop.offer(), payment);
  const forSealedArticle = async ({ payment }: MadePayment) =>
    shop.directBody(shop.offer({ seal: await shop.seal() }), payment);
  const asTip = ({ payment }: MadePayment) => shop.directBody(shop.offer({ kind: "tip" }), payment);

  const withDleq = ({ payment }: MadePayment) => {
    const dleq = { e: "0".repeat(64), s: "0".repeat(64), r: "0".repeat(64) };
    return shop.directBody(shop.offer(), {
      ...payment,
      proofs: payment.proofs.map((proof) => ({ ...proof, dleq })),
    });
  };

  async function lookUp(seal?: string): Promise<Genuine> {
    const made = await shop.pay(shop.offer(seal === undefined ? {} : { seal }));
    const { paymentId } = made.payment;
    const claims = { aud: shop.origin, jti: paymentId, iat: world.nowSeconds() };
    const proof = await signJws("tuppence-holder+jwt", claims, made.holder, "jwk");
    return post("anonymous", `/payments/${paymentId}`, seal === undefined ? { proof } : { proof, seal });
  }

  async function refund(coins: readonly number[], more: object = {}): Promise<Genuine> {
    const { payment, preimage } = await shop.pay();
    const outputs = makeBlankCoins(deps.mint.activeKeysetId(), coins).map(({ output }) => output);
    return post("anonymous", `/payments/${payment.paymentId}/refund`, { preimage, outputs, ...more });
  }

  return [
    {
      route: "GET /x402/supported",
      readsOnly: true,
      kinds: { supported: get("anonymous", "/x402/supported") },
    },
    {
      route: "POST /x402/verify",
      readsOnly: true,
      weight: 3,
      kinds: {
        direct: () => ready([PRICE], 0, direct, "/x402/verify"),
        sealed: () => ready([PRICE], 0, sealed, "/x402/verify"),
      },
    },
    {
      route: "POST /x402/settle",
      weight: 6,
      kinds: {
        direct: () => ready([PRICE], 0, direct),
        "with change": () => ready([100_000], 12, direct),
        "several coins": () => ready([20_000, 20_000, 10_000], 0, direct),
        sealed: () => ready([PRICE], 0, sealed),
        "for a sealed article": () => ready([PRICE], 0, forSealedArticle),
        "with a DLEQ": () => ready([PRICE], 0, withDleq),
        tip: () => ready([PRICE], 0, asTip),
        again: async () => post("anonymous", "/x402/settle", (await shop.pay()).body),
      },
    },
    {
      route: "POST /payments/{id}",
      readsOnly: true,
      weight: 2,
      kinds: {
        "by the holder": () => lookUp(),
        "with a seal": async () => lookUp(await shop.seal()),
      },
    },
    {
      route: "POST /payments/{id}/refund",
      weight: 3,
      kinds: {
        "one coin": () => refund([PRICE]),
        "many coins": () => refund([20_000, 20_000, 10_000]),
        "with a reason": () => refund([PRICE], { reason: "did_not_open" }),
        "given by the merchant": async () => {
          const given = await refund([PRICE]);
          const [, , paymentId = ""] = given.url.split("/");
          await grantRefund(deps, MERCHANT, paymentId);
          shop.clock.now += REFUND_WINDOW_SECONDS * 1_000;
          return given;
        },
        "too late": async () => {
          const late = await refund([PRICE]);
          shop.clock.now += REFUND_WINDOW_SECONDS * 1_000;
          return late;
        },
      },
    },
    {
      route: "GET /receipts/revoked",
      readsOnly: true,
      kinds: { list: get("anonymous", "/receipts/revoked") },
    },
  ];
}
