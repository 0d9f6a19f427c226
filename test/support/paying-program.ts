/** A program that buys one thing after the other until it is killed: `node paying-program.ts WALLET PROVIDER SITE`. */
import process from "node:process";
import { micros } from "../../shared/money.ts";
import { createPayingFetch, openProgramWallet } from "../../wallet/node/index.ts";

const [file = "", provider = "", site = ""] = process.argv.slice(2);
const program = openProgramWallet({ file, provider });
await program.resume(0);
const pay = createPayingFetch(program, { max: micros(50_000n) });
for (let day = 0; ; day++) {
  console.log(`buying ${day}`);
  await pay(`${site}/forecast/${day}`);
}
