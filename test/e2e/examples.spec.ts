/** The examples for site owners, built as their READMEs say, served, and paid for in a browser. Those that need more: test/examples. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Examples, openExamples, run } from "../support/examples.ts";
import { expect, test } from "../support/extension.ts";

let examples: Examples;
test.beforeAll(async () => {
  examples = await openExamples();
});
test.afterAll(() => examples.close());

test("the example of plain files sells what its command sealed, and its feed gives nothing away", async () => {
  const { id, keyFile, origin, out, close } = await examples.serveFolder("shore-notes");
  const seal = () =>
    run([
      "scripts/tuppence.mjs",
      "seal",
      ...["--key", keyFile, "--merchant", id, "--provider", examples.providerOrigin],
      ...["--base-url", origin, "--site", "demo/examples/static/site", "--out", out],
    ]);
  expect(await seal()).toMatch(/pages: 2 sealed/);
  expect(await seal()).toMatch(/pages: 0 sealed, 0 written around seals that stay, 2 unchanged/);
  expect(await readFile(join(out, "feed.xml"), "utf8")).not.toContain("granite");

  const sand = { part: ".tuppence-paid", price: "5¢", words: "Quartz is what is left" };
  await (await examples.buy({ address: `${origin}/sand.html`, ...sand })).close();
  const foam = { part: "#foam", price: "2¢", words: "the protein of algae" };
  await (await examples.buy({ address: `${origin}/notebook.html`, ...foam })).close();
  await close();
});

test("the example for Eleventy sells what its hook sealed, and its feed gives nothing away", async () => {
  const { keyFile, origin, out, close } = await examples.serveFolder("letters");
  const printed = await run(
    ["../../../node_modules/@11ty/eleventy/cmd.cjs", `--output=${join(examples.folder, "letters-clear")}`],
    {
      cwd: "demo/examples/eleventy",
      TUPPENCE_KEY: keyFile,
      TUPPENCE_PROVIDER: examples.providerOrigin,
      SITE_URL: origin,
      SITE_OUT: out,
    },
  );
  expect(printed).toContain("[tuppence] sealed letters/fog/index.html");
  const feed = await readFile(join(out, "feed.xml"), "utf8");
  expect(feed).toContain("It came in at four");
  expect(feed).toContain(`&lt;a href=&quot;${origin}/letters/fog/&quot;&gt;Read on for 5¢`);
  expect(feed).not.toContain("Sound bends");

  const lamp = { part: ".tuppence-paid", price: "7¢", words: "It floats on mercury" };
  await (await examples.buy({ address: `${origin}/letters/lamp/`, ...lamp })).close();
  await close();
});
