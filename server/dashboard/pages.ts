/** The built pages, `dist/dashboard`, read once: a handful of files of a few kilobytes. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import type { FastifyInstance, FastifyReply } from "fastify";

const FOLDER = join(import.meta.dirname, "../../dist/dashboard");
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
/** Their names change with what is in them. */
const ASSETS = "assets/";
const FOR_EVER = "public, max-age=31536000, immutable";

/** Everything from the provider itself, and nothing that anybody wrote into a name can run. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const NOT_BUILT = "The dashboard is not built. Run: npm run build -- --only merchant,dashboard\n";

export function servePages(app: FastifyInstance): void {
  const files = readFiles();
  const options = { config: { side: "accounts" as const }, schema: { hide: true } };
  app.get("/", options, (_request, reply) => reply.redirect("/dashboard/"));
  app.get("/dashboard", options, (_request, reply) => reply.redirect("/dashboard/"));
  app.get("/dashboard/*", options, (request, reply) => {
    const name = request.url.split("?", 1)[0]?.slice("/dashboard/".length) || "index.html";
    return sendFile(reply, name, files.get(name));
  });
}

function sendFile(reply: FastifyReply, name: string, content: Buffer | undefined): FastifyReply {
  if (content === undefined)
    return reply
      .code(404)
      .type("text/plain; charset=utf-8")
      .send(name === "index.html" ? NOT_BUILT : "There is nothing at this address.\n");
  return reply
    .type(TYPES[extname(name)] ?? "application/octet-stream")
    .header("content-security-policy", POLICY)
    .header("cache-control", name.startsWith(ASSETS) ? FOR_EVER : "no-cache")
    .send(content);
}

function readFiles(): ReadonlyMap<string, Buffer> {
  if (!existsSync(FOLDER)) return new Map();
  const names = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(FOLDER.length + 1));
  return new Map(names.map((name) => [name, readFileSync(join(FOLDER, name))]));
}
