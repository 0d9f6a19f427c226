/** A provider and the demo newspaper, registered with it: all that a reader needs outside of the browser. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { registerNewspaper } from "../../demo/register.ts";
import { type Newspaper, startNewspaper } from "../../demo/serve.ts";
import { makeKey, readKey } from "../../merchant/cli/key.ts";
import { pairAt } from "./pair.ts";
import { type ProviderOptions, type RunningProvider, readAdminToken, startProvider } from "./provider.ts";

export const NEWSPAPER_ID = "the-lantern";
export const NEWSPAPER_NAME = "The Lantern";

export interface World {
  readonly provider: RunningProvider;
  /** Test mode, where it was asked for. */
  readonly testProvider: RunningProvider | undefined;
  readonly newspaper: Newspaper;
  readonly adminToken: string;
  close(): Promise<void>;
}

export interface WorldOptions extends ProviderOptions {
  /** One that runs already, with an environment of its own. The world closes it. */
  readonly provider?: RunningProvider;
  readonly newspaperPort?: number;
  /** Starts test mode as well, beside a provider whose port is given. */
  readonly test?: { readonly dataFolder: string; readonly port: number };
  readonly refundWindowSeconds?: number;
}

/** What differs from a provider that deals in real money: payouts at once, of any size that a bank could make, and sites on the same machine. */
export const SANDBOX_ENVIRONMENT = {
  TUPPENCE_PAYOUT_MINIMUM: "0.01",
  TUPPENCE_FIRST_PAYOUT_DELAY_SECONDS: "0",
  TUPPENCE_SETTLE_EVERY_SECONDS: "0",
  TUPPENCE_PRIVATE_ADDRESSES: "allow",
} as const;

const REFUND_WINDOW_SECONDS = 3_600;

export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const {
    newspaperPort = 0,
    refundWindowSeconds = REFUND_WINDOW_SECONDS,
    test,
    environment,
    ...rest
  } = options;
  const pair = test && pairAt(rest.port ?? 0, test.port);
  const settings = (more = {}) => ({ ...SANDBOX_ENVIRONMENT, ...environment, ...more });
  const provider =
    options.provider ?? (await startProvider({ ...rest, environment: settings(pair?.live.environment) }));
  let testProvider: RunningProvider | undefined;
  try {
    if (test && pair)
      testProvider = await startProvider({ ...test, environment: settings(pair.test.environment) });
    const adminToken = readAdminToken(provider);
    const dataFolder = join(provider.dataFolder, "newspaper");
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    const keyFile = join(dataFolder, "seal-key.json");
    const sealKey = existsSync(keyFile) ? await readKey(keyFile) : await makeKey(keyFile);
    const newspaper = await startNewspaper({
      provider: provider.origin,
      merchantId: NEWSPAPER_ID,
      sealKey,
      port: newspaperPort,
      dataFolder,
      onOrigin: (origin) =>
        registerNewspaper({
          accountsOrigin: provider.accountsOrigin,
          adminToken,
          merchantId: NEWSPAPER_ID,
          name: NEWSPAPER_NAME,
          origin,
          sealKey,
          refundWindowSeconds,
        }),
    });
    return {
      provider,
      testProvider,
      newspaper,
      adminToken,
      async close() {
        await newspaper.close();
        await testProvider?.close();
        await provider.close();
      },
    };
  } catch (error) {
    await testProvider?.close();
    await provider.close();
    throw error;
  }
}
