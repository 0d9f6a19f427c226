/** A site whose owner changes what is on it: proofs come and go, pages are put in. */
import { createServer } from "node:http";
import { freePort } from "./free-port.ts";

export interface OwnedSite {
  readonly origin: string;
  /** By path. What is not there is 404. */
  readonly files: Map<string, { readonly type: string; readonly body: string | Buffer }>;
  /** By path: where it leads. */
  readonly redirects: Map<string, string>;
  /** How many there were so far. */
  requests(): number;
  close(): Promise<void>;
}

export const PROOF_PATH = "/.well-known/tuppence-site.txt";

export async function startOwnedSite(): Promise<OwnedSite> {
  const files: OwnedSite["files"] = new Map();
  const redirects: OwnedSite["redirects"] = new Map();
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    const path = request.url?.split("?", 1)[0] ?? "/";
    const location = redirects.get(path);
    if (location !== undefined) {
      response.writeHead(302, { location }).end();
      return;
    }
    const file = files.get(path);
    response.writeHead(file ? 200 : 404, { "content-type": file?.type ?? "text/plain" });
    response.end(file?.body ?? "nothing here");
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${port}`,
    files,
    redirects,
    requests: () => requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
