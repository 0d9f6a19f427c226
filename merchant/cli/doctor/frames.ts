/** Paywalls in frames: where the wallet is silent, or the browser shows nothing. */
import { isOk, tryGet, type Visitor } from "./examination.ts";
import { type Page, readPage } from "./page.ts";
import { forbidsFraming, isOpaque } from "./policy.ts";
import type { Answer, Requests } from "./requests.ts";

const MAX_FRAMES = 5;
const MAX_PARENTS = 10;

/** The merchant's registered framing sites must be able to frame the page. */
export function checkFramedBy(answer: Answer, parents: readonly string[], reader: Visitor): void {
  for (const parent of parents.slice(0, MAX_PARENTS)) {
    const refusal = forbidsFraming(answer.headers, answer.url, parent);
    if (refusal !== undefined) reader.find("frame-refused", answer.url, `for ${parent}: ${refusal}`);
  }
}

export interface FramedPage {
  readonly answer: Answer;
  readonly page: Page;
}

/** Pages with a paywall that this page frames. What a frame forbids is said at once; who may frame whom, the merchant's record says. */
export async function findFramed(
  page: Page,
  address: string,
  reader: Visitor,
  { isSameSite }: Requests,
): Promise<FramedPage[]> {
  const framed: FramedPage[] = [];
  const own = page.frames.filter(({ src }) => isSameSite(src));
  for (const { src, sandbox } of own.slice(0, MAX_FRAMES)) {
    const answer = await tryGet(reader, src);
    if (!answer || !isOk(answer)) continue;
    const inner = readPage(answer.body, answer.url);
    if (inner.walls.length === 0) continue;
    framed.push({ answer, page: inner });
    if (sandbox !== undefined && isOpaque(sandbox.toLowerCase().split(/\s+/)))
      reader.find("frame-sandboxed", address, `sandbox="${sandbox}"`);
    const refusal = forbidsFraming(answer.headers, answer.url, new URL(address).origin);
    if (refusal !== undefined) reader.find("frame-refused", answer.url, refusal);
  }
  return framed;
}

/** The same origin around it makes no difference: the wallet asks whether the merchant named the page around the frame. */
export function checkFrameParent(
  { answer }: FramedPage,
  around: string,
  parents: readonly string[],
  reader: Visitor,
): void {
  const { origin } = new URL(around);
  if (!parents.includes(origin)) reader.find("frame-not-listed", answer.url, `in a page of ${origin}`);
}
