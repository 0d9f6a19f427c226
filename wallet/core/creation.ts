/** Makes the wallet: from a fresh phrase, or from one that the reader has. */
import { TuppenceError } from "../../shared/errors.ts";
import type { UiRequestOf, UiResultJson } from "../../shared/protocol/ui.ts";
import type { Context } from "./context.ts";
import { newId } from "./ids.ts";
import { makePhrase, PHRASE_BYTES, readPhrase, seedOf } from "./keys.ts";
import { WALLET_KEY, type WalletRow } from "./rows.ts";

/**
 * Works without the provider: the account is registered as soon as it can be reached.
 * @throws TuppenceError wallet_exists, phrase_invalid
 */
export async function createWalletRow(
  context: Context,
  request: UiRequestOf<"createWallet">,
): Promise<UiResultJson<"createWallet">> {
  const isRestored = request.phrase !== undefined;
  const phrase =
    request.phrase === undefined
      ? makePhrase(context.ports.random.bytes(PHRASE_BYTES))
      : readPhrase(request.phrase);
  const row: WalletRow = {
    key: WALLET_KEY,
    phrase,
    seedHex: await seedOf(phrase),
    phraseConfirmed: isRestored,
    createdAt: context.nowMs(),
    providerOrigin: providerOf(context, request),
    info: undefined,
    jwks: undefined,
    registered: false,
    account: undefined,
    recovery: isRestored ? "pending" : "none",
    instance: newId(context),
    ...(isRestored ? { otherDevices: request.otherDevices ?? "gone" } : { device: 0 }),
  };
  await context.store.transaction(async (tables) => {
    if (await tables.wallet.get(WALLET_KEY)) throw new TuppenceError("wallet_exists");
    await tables.wallet.put(row);
  });
  context.reopen();
  context.changed();
  return { phrase };
}

/** The wallet of test mode is for the one provider that it was made for. */
function providerOf({ ports }: Context, { provider }: UiRequestOf<"createWallet">): string {
  return (ports.mode === "test" ? undefined : provider) ?? ports.defaultProviderOrigin;
}
