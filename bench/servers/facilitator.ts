/** A facilitator that says yes to everything: what is measured over it is the site and its middleware. */
import { fastify } from "fastify";

const [network = ""] = process.argv.slice(2);
const app = fastify({ logger: { level: "warn" } });
app.get("/supported", async () => ({
  kinds: [{ x402Version: 2, scheme: "exact", network }],
  extensions: [],
  signers: {},
}));
app.post("/verify", async () => ({ isValid: true, payer: "somebody" }));
app.post("/settle", async () => ({ success: true, transaction: "done", network, payer: "somebody" }));
console.log(await app.listen({ host: "127.0.0.1", port: 0 }));
