/** The commands `tuppence wallet` and `tuppence fetch`: a program's wallet, and what it buys. `--help` says how. */
import { mkdir, open, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { ERRORS, TuppenceError } from "../../shared/errors.ts";
import { formatBalance, type Micros, micros, parseMoney } from "../../shared/money.ts";
import {
  AlreadyBoughtError,
  createPayingFetch,
  OtherProviderError,
  openProgramWallet,
  PriceTooHighError,
  type ProgramWallet,
  WalletFileError,
} from "../../wallet/node/index.ts";
import { readArguments } from "./arguments.ts";
import type { CommandDeps } from "./command.ts";
import { CommandError } from "./problem.ts";
import { providerOrigin } from "./provider.ts";

const WALLET_HELP = `A wallet in a file, for programs that pay. The file holds the money and the recovery phrase: keep it to yourself.

  tuppence wallet --provider ORIGIN     makes one
  tuppence wallet                       says what is in it
  tuppence wallet --top-up 5            tops up: prints where to pay, and waits until it is paid
  tuppence wallet --phrase              prints the recovery phrase, to be written down

  --wallet FILE   instead of ~/.tuppence/wallet
`;
const FETCH_HELP = `Fetches an address, and pays where the site asks for it (HTTP 402), out of the wallet's file.

  tuppence fetch URL --max 5¢ [--output FILE] [--wallet FILE]

  --max PRICE     the most that it may cost: 5¢, 0.05. What costs more is not paid
  --output FILE   instead of the standard output
  --wallet FILE   instead of ~/.tuppence/wallet (tuppence wallet makes one)

What was bought before is fetched again without paying.
`;
/** For a file whose wallet says itself where it is. RFC 2606: nobody is ever there. */
const NO_PROVIDER = "https://provider.invalid";
const DEFAULT_FILE = join(homedir(), ".tuppence", "wallet");
/** Nobody looks at a command for longer than that without asking what it does. */
export const RESUME_MS = 5_000;
const TOP_UP_WAIT_MS = 900_000;
const TOP_UP_POLL_MS = 1_000;

/** @throws CommandError with a sentence for whoever ran it */
export async function runWallet(args: readonly string[], deps: CommandDeps): Promise<boolean> {
  const { values } = readArguments(args, {
    help: { type: "boolean" },
    phrase: { type: "boolean" },
    provider: { type: "string" },
    "top-up": { type: "string" },
    wallet: { type: "string" },
  });
  if (values.help) {
    deps.print(WALLET_HELP);
    return true;
  }
  const amount = values["top-up"] === undefined ? undefined : priceOf("--top-up", values["top-up"]);
  return withWallet(values.wallet, values.provider, deps, async (program) => {
    const { wallet } = program;
    await program.resume(RESUME_MS);
    // One that was paid after its command had ended.
    await wallet.refreshTopUps();
    if (values.phrase) deps.print((await wallet.showPhrase()).phrase);
    if (amount !== undefined) await topUp(program, amount, deps);
    const { balance, currency, provider } = await wallet.snapshot();
    const money = (text: string) => formatBalance(micros(BigInt(text)), currency);
    deps.print(
      `${money(balance.total)} at ${provider.origin}${provider.sandbox ? ", which is play money" : ""}; ${money(balance.coins)} of it in coins`,
    );
    return true;
  });
}

/** @throws CommandError with a sentence for whoever ran it */
export async function runFetch(args: readonly string[], deps: CommandDeps): Promise<boolean> {
  const { values, positionals } = readArguments(args, {
    help: { type: "boolean" },
    max: { type: "string" },
    output: { type: "string" },
    wallet: { type: "string" },
  });
  const [url] = positionals;
  if (values.help || url === undefined) {
    deps.print(FETCH_HELP);
    return values.help === true;
  }
  if (!URL.canParse(url)) throw new CommandError(`${url} is not an address.`);
  if (values.max === undefined) throw new CommandError("--max is missing: say the most that it may cost.");
  const max = priceOf("--max", values.max);
  return withWallet(values.wallet, undefined, deps, async (program) => {
    if (values.output !== undefined) await refuseUnwritable(values.output);
    const before = await totalOf(program);
    const response = await createPayingFetch(program, { max, fetch: deps.fetch })(url);
    const body = new Uint8Array(await response.arrayBuffer());
    if (values.output === undefined) deps.write(body);
    else await writeFile(values.output, body);
    const paid = before - (await totalOf(program));
    const { currency } = await program.wallet.snapshot();
    if (paid > 0n) deps.note(`paid ${formatBalance(micros(paid), currency)}`);
    if (!response.ok) deps.note(`${url} answered ${response.status}.`);
    // Change comes in, and the drawer is filled for the next time.
    await program.resume(RESUME_MS);
    return response.ok;
  });
}

/** Before anything is paid; what stands in the file stays until there is something better. @throws CommandError */
async function refuseUnwritable(path: string): Promise<void> {
  try {
    await (await open(path, "a")).close();
  } catch (error) {
    throw new CommandError(
      `${path} cannot be written: ${error instanceof Error ? error.message : error}. Nothing was paid.`,
    );
  }
}

async function topUp({ wallet }: ProgramWallet, amount: Micros, deps: CommandDeps): Promise<void> {
  const { topUpId, checkoutUrl } = await wallet.topUp({ kind: "ui", type: "topUp", amount });
  deps.print(`Pay here, and this goes on by itself: ${checkoutUrl}`);
  for (const until = deps.now() + TOP_UP_WAIT_MS; deps.now() < until; ) {
    await wallet.refreshTopUps();
    const state = (await wallet.snapshot()).topUps.find(({ id }) => id === topUpId)?.state;
    if (state === "paid") return;
    if (state !== "open") throw new CommandError(`The top-up was not paid (${state}).`);
    await new Promise((resolve) => setTimeout(resolve, TOP_UP_POLL_MS));
  }
  throw new CommandError("The top-up is still open. Once it is paid, `tuppence wallet` takes it in.");
}

/** @throws CommandError */
export async function withWallet<T>(
  path: string | undefined,
  provider: string | undefined,
  deps: CommandDeps,
  work: (program: ProgramWallet) => Promise<T>,
): Promise<T> {
  const file = path ?? DEFAULT_FILE;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const origin = provider === undefined ? NO_PROVIDER : providerOrigin(provider);
  let program: ProgramWallet | undefined;
  try {
    program = openProgramWallet({ file, provider: origin, fetch: deps.fetch });
    const { state, provider: known } = await program.wallet.snapshot();
    if (state === "none") {
      if (provider === undefined)
        throw new CommandError("There is no wallet yet: tuppence wallet --provider ORIGIN makes one.");
      await program.wallet.create({ kind: "ui", type: "createWallet" });
      deps.note(`${file} is made. Write its recovery phrase down: tuppence wallet --phrase`);
    } else if (provider !== undefined && known.origin !== origin)
      throw new CommandError(
        `This wallet is at ${known.origin}. For another provider name another --wallet.`,
      );
    return await work(program);
  } catch (error) {
    throw asSentence(error);
  } finally {
    await program?.close();
  }
}

export async function totalOf({ wallet }: ProgramWallet): Promise<bigint> {
  return BigInt((await wallet.snapshot()).balance.total);
}

function asSentence(error: unknown): unknown {
  if (error instanceof TuppenceError) {
    const { title, safe, next } = ERRORS[error.code];
    return new CommandError([title, safe, next].filter((part) => part !== "").join(" "));
  }
  if (error instanceof PriceTooHighError || error instanceof AlreadyBoughtError)
    return new CommandError(`${error.message} Nothing was paid.`);
  if (error instanceof OtherProviderError)
    return new CommandError(
      `${error.message} Nothing was paid. Name a wallet of that provider: --wallet FILE.`,
    );
  // What `fetch` throws where nobody answers.
  if (error instanceof TypeError && error.message === "fetch failed")
    return new CommandError(
      `The site cannot be reached${error.cause instanceof Error ? `: ${error.cause.message}` : ""}.`,
    );
  return error instanceof WalletFileError ? new CommandError(error.message) : error;
}

export function priceOf(name: string, text: string): Micros {
  const amount = parseMoney(text);
  if (amount === undefined) throw new CommandError(`${name} ${text} is no amount: 5¢, 0.05, $5.`);
  return amount;
}
