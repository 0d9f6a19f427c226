/** Every kind of message that a page or one of our own pages can send, taken from the schemas that decode them. */
import fc from "fast-check";
import * as v from "valibot";
import { PageRequest, type PageRequestType } from "../../../shared/protocol/page.ts";
import { UiRequest, type UiRequestType, UiResults } from "../../../shared/protocol/ui.ts";
import { offerOf, SITE } from "../../../wallet/core/testing.ts";
import { mutateJson, treeMutations } from "../mutate.ts";
import { makeTarget, type Part, type Target } from "../target.ts";
import { ARTICLE, FRAME, type Others, openPageWorld, type PageWorld, POPUP } from "./world.ts";

const others: fc.Arbitrary<Others> = fc.record({
  decision: fc.constantFrom("approve", "allow", "decline"),
  settles: fc.boolean(),
  clicked: fc.nat({ max: 3 }).map((number) => number > 0),
  sender: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 4 }) }),
});
const kind = fc.nat({ max: 3 });
const cut = fc.oneof(
  { weight: 20, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.nat({ max: 2_000 }) },
);
const changed = fc.record({ kind, tree: treeMutations, cut, others });

export async function openPages(): Promise<Part> {
  const world = await openPageWorld();
  return { targets: [...pageTargets(world), ...ownPageTargets(world), ...otherTargets(world)] };
}

type Genuine = (world: PageWorld) => Promise<object>;

const ID = "0".repeat(32);
let requests = 0;
const request = (type: PageRequestType, payload: object) => ({
  v: 1,
  id: `request-${++requests}`,
  type,
  payload,
});
const newestPayment = (world: PageWorld) => world.reader().store.read((tables) => tables.payments.newest(1));
const newestId = async (world: PageWorld): Promise<string> => (await newestPayment(world))[0]?.id ?? ID;

const PAGE_REQUESTS: Readonly<Record<PageRequestType, readonly Genuine[]>> = {
  pay: [
    async () => request("pay", { offer: newOffer(), mode: "direct" }),
    async () => request("pay", { offer: newOffer(), mode: "http" }),
    async (world) =>
      request("pay", {
        offer: offerOf({
          resource: newResource(),
          merchantRecord: await world.reader().provider.merchantRecord(),
        }),
        mode: "direct",
      }),
    async () => request("pay", { offer: offerOf(), mode: "direct" }),
  ],
  tip: [
    async () => {
      const offer = offerOf({ kind: "tip", amount: 10_000n, resource: newResource() });
      return request("tip", { offer, least: "1000", most: "20000" });
    },
  ],
  entitlement: [
    async () =>
      request("entitlement", {
        merchant: "the-lantern",
        resource: ARTICLE,
        challenge: "/article#1790000000",
      }),
    async () =>
      request("entitlement", {
        merchant: "the-lantern",
        resource: ARTICLE,
        challenge: "c".repeat(20),
        seal: "a.b.c",
      }),
  ],
  status: [
    async (world) => request("status", { paymentId: await newestId(world) }),
    async (world) => request("status", { paymentId: await newestId(world), problem: "content_unreadable" }),
  ],
};

let resources = 0;
const newResource = () => `${SITE}/article-${++resources}`;
const newOffer = () => offerOf({ resource: newResource() });

const ui =
  (type: UiRequestType, entries: object = {}): Genuine =>
  async () => ({ kind: "ui", type, ...entries });
const approval = async (world: PageWorld) =>
  (await world.reader().store.read((tables) => tables.approvals.newest(1)))[0]?.id ?? ID;

const UI_REQUESTS: Readonly<Record<UiRequestType, readonly Genuine[]>> = {
  snapshot: [ui("snapshot")],
  createWallet: [
    ui("createWallet", { provider: "https://pay.example", phrase: `${"abandon ".repeat(11)}about` }),
    ui("createWallet", {
      phrase: "legal winner thank year wave sausage worth useful legal winner thank yellow",
      otherDevices: "in_use",
    }),
    ui("createWallet"),
  ],
  showPhrase: [ui("showPhrase")],
  unlock: [ui("unlock", { passphrase: "correct horse battery staple" })],
  lock: [ui("lock")],
  protect: [
    ui("protect", { current: "none", passphrase: "correct horse battery staple", lockAfterMinutes: 5 }),
    ui("protect", { passphrase: null, lockAfterMinutes: 5 }),
  ],
  eraseWallet: [ui("eraseWallet")],
  confirmPhrase: [ui("confirmPhrase", { words: [1, 5, 12].map((place) => ({ place, word: "abandon" })) })],
  putOffPhrase: [ui("putOffPhrase")],
  topUp: [ui("topUp", { amount: "5000000" })],
  decide: [
    async (world) => ({
      kind: "ui",
      type: "decide",
      approvalId: await approval(world),
      approve: true,
      amount: "50000",
      allowance: "1000000",
    }),
    ui("decide", { approvalId: ID, approve: false }),
  ],
  showQuestion: [async (world) => ({ kind: "ui", type: "showQuestion", approvalId: await approval(world) })],
  tipSite: [ui("tipSite")],
  startTip: [ui("startTip")],
  depositAll: [ui("depositAll")],
  closeAccount: [ui("closeAccount")],
  saveBackup: [ui("saveBackup")],
  takeOver: [ui("takeOver")],
  refund: [async (world) => ({ kind: "ui", type: "refund", paymentId: await newestId(world) })],
  removeAllowance: [ui("removeAllowance", { origin: SITE })],
  forgetSite: [ui("forgetSite", { origin: SITE })],
  setAllowance: [
    ui("setAllowance", { origin: SITE, perPayment: "50000", perDay: "200000", perMonth: "1000000" }),
    ui("setAllowance", { origin: SITE, perPayment: null, perDay: null, perMonth: "1000000" }),
  ],
  // What pauses the wallet would leave nothing to find in the messages that follow.
  setPaused: [ui("setPaused", { paused: false })],
  setTestMode: [ui("setTestMode", { on: true })],
  setMonthlyLimit: [ui("setMonthlyLimit", { limit: "100000000" }), ui("setMonthlyLimit", { limit: null })],
  history: [
    ui("history", {
      period: "2026-11",
      site: SITE,
      state: "paid",
      paymentKind: "article",
      search: "tide mills",
      after: { at: 1_790_000_000_000, skip: 1 },
    }),
    ui("history"),
  ],
  spending: [ui("spending", { period: "2026-11", site: SITE }), ui("spending", { period: "2026" })],
  payment: [async (world) => ({ kind: "ui", type: "payment", paymentId: await newestId(world) })],
  exportHistory: [ui("exportHistory", { after: { at: 1_790_000_000_000, skip: 0 } }), ui("exportHistory")],
};

function pageTargets(world: PageWorld): Target[] {
  return PageRequest.options.map(({ entries }) => {
    const type = entries.type.literal;
    return makeTarget(`page: ${type}`, type === "pay" ? 6 : 4, changed, async (input, see) => {
      const genuine = await genuineOf(PAGE_REQUESTS[type], input.kind, world);
      const text = mutateJson(genuine, input.tree);
      see((await world.fromPage(input.cut === null ? text : text.slice(0, input.cut), input.others)).seen);
    });
  });
}

function ownPageTargets(world: PageWorld): Target[] {
  return UiRequest.options.map(({ entries }) => {
    const type = entries.type.literal;
    return makeTarget(`ui: ${type}`, 1, changed, async (input, see) => {
      const message = read(mutateJson(await genuineOf(UI_REQUESTS[type], input.kind, world), input.tree));
      // The site's page is not read here; below it is.
      world.browser.active = undefined;
      const { answer, seen } =
        type === "createWallet"
          ? await world.withoutWallet(message, input.others)
          : await world.toBackground(message, POPUP, input.others);
      see(seen);
      const asked = v.safeParse(UiRequest, message);
      const ok = v.safeParse(v.object({ ok: v.unknown() }), answer);
      if (ok.success && asked.success) v.parse(UiResults[asked.output.type], ok.output.ok);
    });
  });
}

function otherTargets(world: PageWorld): Target[] {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
  });
  const relayed = {
    kind: "page",
    message: JSON.stringify(request("status", { paymentId: ID })),
    clicked: true,
  };
  const found = {
    origin: SITE,
    url: ARTICLE,
    title: "Tides",
    attributes: {
      merchant: "the-lantern",
      provider: "https://pay.example",
      amount: "5¢",
      least: "1¢",
      most: "$1",
      currency: "USD",
      label: null,
    },
  };
  const any = fc.record({ value: anything, others });
  const two = fc.record({ message: treeMutations, sender: treeMutations, own: fc.boolean(), others });
  return [
    makeTarget("page: what is no text", 1, any, async ({ value, others: reader }, see) => {
      see((await world.fromPage(value, reader)).seen);
    }),
    makeTarget(
      "page: any text",
      1,
      fc.record({ value: fc.oneof(fc.string(), fc.json()), others }),
      async ({ value, others: reader }, see) => {
        see((await world.fromPage(value, reader)).seen);
      },
    ),
    makeTarget(
      "background: who sends what",
      3,
      two,
      async ({ message, sender, own, others: reader }, see) => {
        const content = read(mutateJson(own ? { kind: "ui", type: "snapshot" } : relayed, message));
        see((await world.toBackground(content, read(mutateJson(own ? POPUP : FRAME, sender)), reader)).seen);
      },
    ),
    makeTarget(
      "background: anything",
      1,
      fc.record({ value: anything, own: fc.boolean(), others }),
      async ({ value, own, others: reader }, see) => {
        see((await world.toBackground(value, own ? POPUP : FRAME, reader)).seen);
      },
    ),
    makeTarget(
      "background: the tip in a page",
      3,
      fc.record({ tree: treeMutations, starts: fc.boolean(), others }),
      async ({ tree, starts, others: reader }, see) => {
        world.browser.active = { id: 1, url: ARTICLE, isPrivate: false };
        world.browser.page = async () => read(mutateJson(found, tree));
        const message = { kind: "ui", type: starts ? "startTip" : "tipSite" };
        see((await world.toBackground(message, POPUP, reader)).seen);
      },
    ),
  ];
}

async function genuineOf(kinds: readonly Genuine[], index: number, world: PageWorld): Promise<object> {
  const make = kinds[index % kinds.length];
  if (!make) throw new Error("a message without a genuine form");
  return make(world);
}

/** What is no JSON travels as the text that it is. */
function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
