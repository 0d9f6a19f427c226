/** The provider, its test mode and the newspaper of `npm start` and `npm run dev`, on their fixed ports and lasting data. */
import process from "node:process";
import { startWorld, type World } from "../test/support/world.ts";
import {
  DATA,
  NEWSPAPER_PORT,
  PROVIDER_PORT,
  REFUND_WINDOW_SECONDS,
  SETTLE_EVERY_SECONDS,
  TEST_DATA,
  TEST_PROVIDER_PORT,
} from "./settings.ts";

if (import.meta.main) {
  const world = await startServers();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => void world.close().finally(() => process.exit(0)));
  }
}

export async function startServers(): Promise<World> {
  const world = await startWorld({
    dataFolder: DATA,
    port: PROVIDER_PORT,
    test: { dataFolder: TEST_DATA, port: TEST_PROVIDER_PORT },
    newspaperPort: NEWSPAPER_PORT,
    refundWindowSeconds: REFUND_WINDOW_SECONDS,
    environment: { TUPPENCE_SETTLE_EVERY_SECONDS: String(SETTLE_EVERY_SECONDS) },
  });
  const { provider, testProvider, newspaper } = world;
  const lines = [
    `provider   ${provider.origin}  (API: ${provider.origin}/docs, data: ${DATA}/)`,
    `test mode  ${testProvider?.origin}  (data: ${TEST_DATA}/)`,
    `dashboard  ${provider.accountsOrigin}/dashboard/`,
    `newspaper  ${newspaper.origin}`,
  ];
  console.log(`\n${lines.join("\n")}\n`);
  return world;
}
