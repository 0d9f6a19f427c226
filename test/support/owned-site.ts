/** A site whose owner changes what is on it: proofs come and go, pages are put in. */
import { createServer } from "node:http";
import { freePort } from "./free-port.ts";

export interface OwnedSite {
  readonly origin: string;
  /** By path. What is not there is 404. */
  readonly files: Map<string, { readonly type: string; readonly body: string | Buffer }>;
  close(): Promise<void>;
}

export const PROOF_PATH = "/.well-known/tuppence-site.txt";

export async function startOwnedSite(): Promise<OwnedSite> {
  const files: OwnedSite["files"] = new Map();
  const server = createServer((request, response) => {
    const file = files.get(request.url?.split("?", 1)[0] ?? "/");
    response.writeHead(file ? 200 : 404, { "content-type": file?.type ?? "text/plain" });
    response.end(file?.body ?? "nothing here");
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${port}`,
    files,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
