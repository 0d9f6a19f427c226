/** Starts the provider. One line says when it is ready and where; SIGINT and SIGTERM end it after the last answer. */
import { ConfigError } from "./config.ts";
import { startProvider } from "./start.ts";

try {
  const provider = await startProvider(process.env);
  const { name, mode, origin, accountsOrigin } = provider.config;
  const { metricsAddress: metrics } = provider;
  const place = { name, mode, origin, accountsOrigin, docs: `${origin}/docs`, ...(metrics && { metrics }) };
  const line = process.stdout.isTTY
    ? `${name} is ready. Payments: ${origin}  Accounts: ${accountsOrigin}  API: ${place.docs}`
    : JSON.stringify({ ready: true, ...place });
  process.stdout.write(`${line}\n`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      void provider.close().then(() => process.exit(0));
    });
  }
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
