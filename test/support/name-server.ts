/** A name server (RFC 1035, over UDP) that knows the TXT records that a test gives it, and says of all else that there is none. */
import { createSocket } from "node:dgram";

export interface NameServer {
  /** `127.0.0.1:<port>` */
  readonly address: string;
  /** By name, without a dot at the end. */
  readonly texts: Map<string, string>;
  close(): Promise<void>;
}

const HEADER_BYTES = 12;
const RESPONSE = 0x8180;
const NO_SUCH_NAME = RESPONSE | 3;
const TXT = 16;
const INTERNET = 1;
/** The question's name, which stands right after the header. */
const NAME_POINTER = 0xc000 | HEADER_BYTES;

export async function startNameServer(): Promise<NameServer> {
  const texts: NameServer["texts"] = new Map();
  const socket = createSocket("udp4");
  socket.on("message", (query, { port, address }) => socket.send(answer(query, texts), port, address));
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${socket.address().port}`,
    texts,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function answer(query: Buffer, texts: ReadonlyMap<string, string>): Buffer {
  const { name, end } = readName(query);
  const question = query.subarray(HEADER_BYTES, end + 4);
  const text = query.readUInt16BE(end) === TXT ? texts.get(name) : undefined;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(query.readUInt16BE(0), 0);
  header.writeUInt16BE(text === undefined ? NO_SUCH_NAME : RESPONSE, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(text === undefined ? 0 : 1, 6);
  return Buffer.concat([header, question, ...(text === undefined ? [] : [record(text)])]);
}

function readName(query: Buffer): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), end: at + 1 };
}

function record(text: string): Buffer {
  const fields = Buffer.alloc(13);
  fields.writeUInt16BE(NAME_POINTER, 0);
  fields.writeUInt16BE(TXT, 2);
  fields.writeUInt16BE(INTERNET, 4);
  fields.writeUInt16BE(1 + text.length, 10);
  fields.writeUInt8(text.length, 12);
  return Buffer.concat([fields, Buffer.from(text, "latin1")]);
}
