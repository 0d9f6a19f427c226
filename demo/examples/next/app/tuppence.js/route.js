/** The snippet, as `npm run build -- --only merchant` makes it, taken along at build time. */
import { readFile } from "node:fs/promises";

export const dynamic = "force-static";

export async function GET() {
  const snippet = await readFile("../../../dist/merchant/tuppence.js", "utf8");
  return new Response(snippet, { headers: { "content-type": "text/javascript" } });
}
