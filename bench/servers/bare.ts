/** The same requests and answers without a payment: what Fastify alone can do on this machine. */
import { fastify } from "fastify";

const [answer = "{}"] = process.argv.slice(2);
const parsed: unknown = JSON.parse(answer);
const app = fastify({ logger: { level: "warn" } });
app.post("/x402/settle", async () => parsed);
console.log(await app.listen({ host: "127.0.0.1", port: 0 }));
