/** Pages that want more than a click allows: frames, sandboxes, clicks that were none, loops, probes, windows drawn over. */
import type { Page } from "@playwright/test";
import { type ErrorCode, tellReader } from "../../shared/errors.ts";
import { makeOffer } from "../../shared/offer.ts";
import { MAX_MESSAGE_LENGTH } from "../../shared/protocol/page.ts";
import { APPROVE_PAGE, POPUP_PAGE, WELCOME_PAGE } from "../../shared/protocol/ui.ts";
import { expectBooksAddUp, type StockedReader, stockReader, totalOf } from "../support/books.ts";
import { expect, test, turnClock, waitForLoad } from "../support/extension.ts";
import {
  type Answer,
  answersIn,
  answersTo,
  clickAndSend,
  load,
  markerRequest,
  publishHostilePage,
  requestOf,
} from "../support/hostile-page.ts";
import { type MerchantSite, startMerchantSite } from "../support/merchant.ts";
import { type RunningProvider, startProvider } from "../support/provider.ts";
import {
  approve,
  decideCheckout,
  decline,
  expectArticleOpen,
  paywallButton,
  readSnapshot,
} from "../support/reader.ts";
import { SANDBOX_ENVIRONMENT } from "../support/world.ts";

const PRICE = 50_000n;

let provider: RunningProvider;
let reader: StockedReader;
let page: Page;
/** Each test has a merchant, and so an origin, of its own: what the wallet remembers of one is nothing to the others. */
let site: MerchantSite;
let sites = 0;

test.beforeAll(async () => {
  provider = await startProvider({ environment: SANDBOX_ENVIRONMENT });
  reader = await stockReader(provider);
});
test.beforeEach(async () => {
  sites += 1;
  site = await startMerchantSite(provider, { id: `hostile-${sites}`, name: `Hostile Site ${sites}` });
  page = await reader.extension.context.newPage();
});
test.afterEach(async () => {
  await page.close();
  await site.close();
});
test.afterAll(async () => {
  await expectBooksAddUp(provider, [reader]);
  await reader.extension.close();
  await provider.close();
});

test("a click that was none gives nothing away, and asks nothing", async () => {
  const pay = requestOf("pay", { offer: offer(), mode: "direct" });
  const marker = markerRequest();
  // From the page's own script, by a timer: what a test evaluates in a page counts as the reader's doing.
  const script = `
    const requests = ${JSON.stringify([JSON.stringify(pay), JSON.stringify(markerRequest())])};
    addEventListener("load", () => setTimeout(() => {
      const buy = document.getElementById("buy");
      const shadow = document.querySelector("tuppence-offer").attachShadow({ mode: "open" });
      shadow.innerHTML = "<slot></slot><button>Inner</button>";
      const fakes = [
        () => buy.click(),
        () => buy.dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true, cancelable: true })),
        () => buy.dispatchEvent(new PointerEvent("click", { bubbles: true, composed: true, isPrimary: true })),
        () => shadow.querySelector("button").click(),
        () => buy.dispatchEvent(new Proxy(new MouseEvent("click", { bubbles: true }), { get: (click, name) => name === "isTrusted" || click[name] })),
        () => { class Trusted extends MouseEvent { get isTrusted() { return true; } } buy.dispatchEvent(new Trusted("click", { bubbles: true, composed: true })); },
        () => buy.focus(),
        () => buy.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true })),
      ];
      for (const fake of fakes) {
        toSend = [...requests];
        // Some of them the browser does not even take for an event.
        try { fake(); } catch {}
        sendAll();
      }
      document.title = "Faked";
    }, 10));`;
  await page.goto(publishHostilePage(site, "/fake.html", { script }));
  await expect(page).toHaveTitle("Faked");
  // The first real click is heard, and nothing from before it is answered then.
  const answers = await clickAndSend(page, [marker]);
  expect(answers).toHaveLength(1);
  expect(await answersIn(page)).toHaveLength(1);
  expect(await page.evaluate("announced")).toBe(1);
  expect(await questions()).toEqual([]);

  // And the page's next try without one is refused: one click, one question.
  const [first] = await clickAndSend(page, [requestOf("pay", { offer: badOffer(), mode: "direct" })]);
  expect(first?.error?.code).toBe("amount_invalid");
  const later = requestOf("pay", { offer: offer(), mode: "direct" });
  await load(page, [later]);
  await page.evaluate("sendAll()");
  await clickAndSend(page, [markerRequest()]);
  expect((await answersIn(page)).filter(({ id }) => id === later.id)).toEqual([]);
  expect(await questions()).toEqual([]);
});

for (const { what, parentOf } of [
  { what: "of the same site", parentOf: () => site },
  { what: "of another site", parentOf: () => "another" as const },
]) {
  test(`a frame ${what} cannot be paid in, so that no page lays one under a click`, async () => {
    const inner = publishHostilePage(site, "/inner.html");
    const parent = parentOf() === "another" ? await startMerchantSite(provider, { id: "parent-site" }) : site;
    parent.publish("/outer.html", `<!doctype html><title>Outer</title><iframe src="${inner}"></iframe>`);
    await page.goto(parent.addressOf("/outer.html"));
    const frame = page.frame({ url: inner });
    if (!frame) throw new Error("the page has no frame");
    await frame.locator("#buy").waitFor();
    const [answer] = await clickAndSend(frame, [requestOf("pay", { offer: offer(), mode: "direct" })]);
    expectRefusal(answer, "frame_not_allowed");
    expect(await questions()).toEqual([]);
    if (parent !== site) await parent.close();
  });
}

test("a sandboxed page has no address of its own, so nobody is paid on it", async () => {
  const address = publishHostilePage(site, "/sandboxed.html", {
    headers: { "content-security-policy": "sandbox allow-scripts" },
  });
  await page.goto(address);
  expect(await page.evaluate("origin")).toBe("null");
  const requests = [
    requestOf("pay", { offer: offer(), mode: "direct" }),
    requestOf("tip", { offer: offer({ kind: "tip" }), least: "1000", most: "100000" }),
  ];
  for (const request of requests) {
    const [answer] = await clickAndSend(page, [request]);
    expectRefusal(answer, "origin_opaque");
  }
  expect(await questions()).toEqual([]);
});

test("a sandboxed frame, and one without an address, cannot borrow the page's name", async () => {
  const inner = publishHostilePage(site, "/inner.html");
  const html = (await (await fetch(inner)).text()).replaceAll('"', "&quot;");
  site.publish(
    "/outer.html",
    `<!doctype html><title>Outer</title><iframe name="sandboxed" sandbox="allow-scripts" src="${inner}"></iframe><iframe name="written" srcdoc="${html}"></iframe>`,
  );
  await page.goto(site.addressOf("/outer.html"));
  for (const [name, code] of [
    ["sandboxed", "origin_opaque"],
    ["written", "frame_not_allowed"],
  ] as const) {
    const frame = page.frame({ name });
    if (!frame) throw new Error(`the page has no frame ${name}`);
    await frame.locator("#buy").waitFor();
    const [answer] = await clickAndSend(frame, [requestOf("pay", { offer: offer(), mode: "direct" })]);
    expectRefusal(answer, code);
  }
  expect(await questions()).toEqual([]);
});

test("neither window.postMessage nor the page's own chrome.runtime reaches the wallet", async () => {
  const id = reader.extension.extensionId;
  const asks = [
    {
      kind: "page",
      message: JSON.stringify(requestOf("pay", { offer: offer(), mode: "direct" })),
      clicked: true,
    },
    { kind: "ui", type: "snapshot" },
    { kind: "ui", type: "showPhrase" },
    { kind: "ui", type: "decide", approvalId: "0".repeat(32), approve: true },
  ];
  const script = `
    globalThis.heard = [];
    addEventListener("message", ({ data }) => { if (!data?.ours) heard.push(JSON.stringify(data)); });
    globalThis.reach = async () => {
      const outcomes = [];
      for (const ask of ${JSON.stringify(asks)}) {
        postMessage({ ours: true, ...ask }, "*");
        postMessage({ ours: true, detail: JSON.stringify(ask) }, "*");
        try { outcomes.push(await chrome.runtime.sendMessage("${id}", ask)); } catch { outcomes.push("refused"); }
        try { chrome.runtime.connect("${id}", { name: "ui" }); outcomes.push("connected"); } catch { outcomes.push("refused"); }
      }
      document.title = "Reached: " + [...new Set(outcomes)];
    };
    addEventListener("load", reach);`;
  await page.goto(publishHostilePage(site, "/reach.html", { script }));
  await expect(page).toHaveTitle("Reached: refused");
  // Once more, when the page may know of the wallet.
  await clickAndSend(page, [markerRequest()]);
  await page.evaluate("document.title = '', reach()");
  await expect(page).toHaveTitle("Reached: refused");
  expect(await page.evaluate("heard")).toEqual([]);
  expect(await questions()).toEqual([]);
});

test("details that are too long or malformed break nothing, and are met by an error or by silence", async () => {
  await page.goto(publishHostilePage(site, "/malformed.html"));
  const nested = `${"[".repeat(10_000)}${"]".repeat(10_000)}`;
  // None of these is of a kind that uses up the click, so that it is still good for the question at the end.
  const status = requestOf("status", { paymentId: "0".repeat(32) });
  const silent = [
    "",
    "not json",
    "null",
    "[]",
    nested,
    JSON.stringify({ ...status, id: "short" }),
    JSON.stringify({ ...status, id: "x".repeat(65) }),
    JSON.stringify({ ...status, id: { toString: "x" } }),
    "x".repeat(MAX_MESSAGE_LENGTH),
    "x".repeat(5_000_000),
    JSON.stringify({ ...status, padding: "x".repeat(MAX_MESSAGE_LENGTH) }),
  ];
  // Details that are no texts at all, too: objects with traps, functions, and none.
  await page.evaluate(() => {
    addEventListener("click", () => {
      const trap = new Proxy(
        {},
        {
          get: () => {
            throw new Error("trapped");
          },
        },
      );
      for (const detail of [undefined, null, 7, {}, [], trap, () => undefined, new Uint8Array(1_000)])
        document.dispatchEvent(new CustomEvent("tuppence:request", { detail }));
      document.dispatchEvent(new Event("tuppence:request"));
    });
  });
  const [answered] = await clickAndSend(page, [...silent, markerRequest()]);
  expect(answered?.error?.code).toBe("payment_unknown");
  expect(await answersIn(page)).toHaveLength(1);

  const invalid = [
    requestOf("pay", {}),
    requestOf("steal", { offer: offer() }),
    requestOf("pay", { offer: offer(), mode: "free" }),
    requestOf("tip", { offer: offer(), least: 1_000, most: "100000" }),
    requestOf("status", { paymentId: {} }),
    requestOf("status", { paymentId: "p".repeat(301) }),
    requestOf("entitlement", { merchant: site.id, resource: 7, challenge: "short" }),
    { ...status, v: 2 },
  ];
  for (const request of invalid) {
    const [answer] = await clickAndSend(page, [request]);
    expectRefusal(answer, "message_invalid");
  }
  expect(await questions()).toEqual([]);

  // The wallet still works: the next honest click is asked about.
  const pay = requestOf("pay", { offer: offer(), mode: "direct" });
  await load(page, [pay]);
  await page.locator("#buy").click();
  await decline(await reader.extension.waitForApproval());
  const [declined] = await answersTo(page, [pay.id]);
  expectRefusal(declined, "declined");
});

test("more requests at once than the wallet takes are dropped, and it goes on", async () => {
  await page.goto(publishHostilePage(site, "/flood.html"));
  await load(
    page,
    Array.from({ length: 2_000 }, () => markerRequest()),
  );
  await page.locator("#buy").click();
  await expect.poll(async () => (await answersIn(page)).length).toBeGreaterThan(0);
  const [answer] = await clickAndSend(page, [markerRequest()]);
  expect(answer?.error?.code).toBe("payment_unknown");
  expect((await answersIn(page)).length).toBeLessThan(200);
});

test("a loop of twenty offers brings one window at most, and each refusal a longer pause", async () => {
  const opened = countApprovals();
  // The page's own loop, begun by the click: one offer after the other, faster than anybody could answer.
  const script = `
    globalThis.loop = [];
    addEventListener("click", () => {
      const next = () => {
        const detail = loop.shift();
        if (!detail) return;
        document.dispatchEvent(new CustomEvent("tuppence:request", { detail }));
        setTimeout(next, 5);
      };
      next();
    }, true);`;
  await page.goto(publishHostilePage(site, "/loop.html", { script }));
  const twenty = () =>
    Array.from({ length: 20 }, (_, index) =>
      requestOf("pay", {
        offer: offer({ resource: site.addressOf(`/loop-${index}.html`), title: `Offer ${index}` }),
        mode: "direct",
      }),
    );
  const refuse = async () => {
    const requests = twenty();
    await page.evaluate(
      (loop) => Object.assign(globalThis, { loop }),
      requests.map((request) => JSON.stringify(request)),
    );
    await page.locator("#buy").click();
    const window = await reader.extension.waitForApproval();
    await decline(window);
    return requests;
  };

  const [first] = await refuse().then((requests) => answersTo(page, [requests[0]?.id ?? ""]));
  expectRefusal(first, "declined");
  expect(opened.count(), "one click, one window").toBe(1);
  // The others met silence, or, once the page was known to have asked, were told that each needs a click.
  const others = (await answersIn(page)).filter(({ id }) => id !== first?.id);
  expect([...new Set(others.map(codeOf))]).toEqual(["click_required"]);
  await refuse();
  expect(opened.count()).toBe(2);

  // From here the wallet does not listen for a while, and for longer each time. Its clock is turned, not waited for.
  const isPaused = async () => {
    const [answer] = await clickAndSend(page, [requestOf("pay", { offer: offer(), mode: "direct" })]);
    expectRefusal(answer, "prompts_paused");
  };
  await isPaused();
  await turnClock(reader.extension, 4_000);
  await isPaused();
  await turnClock(reader.extension, 6_000);
  await refuse();
  expect(opened.count()).toBe(3);
  await isPaused();
  await turnClock(reader.extension, 6_000);
  await isPaused();
  await turnClock(reader.extension, 20_000);
  await refuse();
  expect(opened.count()).toBe(4);
  await turnClock(reader.extension, 25_000);
  await isPaused();
  expect(await questions()).toEqual([]);
  opened.stop();
});

test("a second question in the same tab waits for the answer to the first", async () => {
  await page.goto(publishHostilePage(site, "/two.html"));
  const first = requestOf("pay", { offer: offer(), mode: "direct" });
  await load(page, [first]);
  await page.locator("#buy").click();
  const window = await reader.extension.waitForApproval();
  const other = offer({ resource: site.addressOf("/second.html") });
  const [answer] = await clickAndSend(page, [requestOf("pay", { offer: other, mode: "direct" })]);
  expectRefusal(answer, "prompt_open");
  await decline(window);
  expectRefusal((await answersTo(page, [first.id]))[0], "declined");
});

test("a window that is closed is a no: the page is told, and nothing is charged", async () => {
  const before = await totalOf(reader);
  await site.publishArticle("/closed.html", { title: "Closed", paid: "<p>Paid.</p>", price: "5¢" });
  await page.goto(site.addressOf("/closed.html"));
  await paywallButton(page).click();
  await (await reader.extension.waitForApproval()).close();
  const paywall = page.locator("tuppence-paywall");
  await expect(paywall).toHaveAttribute("state", "error");
  await expect(paywall.getByRole("status")).toHaveText(tellReader("declined"));
  expect(await totalOf(reader)).toBe(before);
  // A no is no reason not to be asked again by the next click.
  await paywallButton(page).click();
  await approve(await reader.extension.waitForApproval());
  await expectArticleOpen(page);
  expect(await totalOf(reader)).toBe(before - PRICE);
});

test("with too little in the wallet the window offers to top up, keeps the offer, and pays it then", async () => {
  const before = await totalOf(reader);
  await site.publishArticle("/dear.html", { title: "Dear", paid: "<p>The dear part.</p>", price: "$8" });
  await page.goto(site.addressOf("/dear.html"));
  await paywallButton(page).click();
  const window = await reader.extension.waitForApproval();
  await expect(window.getByText("Missing in your wallet")).toBeVisible();
  await expect(window.getByText("The offer is kept for you meanwhile.")).toBeVisible();
  // Closed and opened again by the next click, it is the same question.
  await window.close();
  const kept = await questions();
  expect(kept).toHaveLength(1);
  await page.reload();
  await paywallButton(page).click();
  const again = await reader.extension.waitForApproval();
  expect(await questions()).toEqual(kept);
  const opened = reader.extension.context.waitForEvent("page");
  await again.getByRole("button", { name: "Top up $5", exact: true }).click();
  const checkout = await opened;
  await waitForLoad(checkout);
  await decideCheckout(checkout, "Approve");
  reader.toppedUp += 5_000_000n;
  await approve(again);
  await expectArticleOpen(page);
  expect(await totalOf(reader)).toBe(before + 5_000_000n - 8_000_000n);
  await checkout.close();
});

test("a page cannot reach the window that asks, nor show or open any page of the wallet", async () => {
  const pay = requestOf("pay", { offer: offer(), mode: "direct" });
  const addresses = [APPROVE_PAGE, POPUP_PAGE, WELCOME_PAGE].map((file) => reader.extension.url(file));
  const frames = addresses.map((address) => `<iframe src="${address}"></iframe>`).join("");
  const links = addresses
    .map((address, index) => `<a id="link-${index}" href="${address}">link</a>`)
    .join("");
  await page.goto(
    publishHostilePage(site, "/window.html", {
      body: frames + links,
      headers: { "content-security-policy": "default-src * 'unsafe-inline' data: chrome-extension:" },
    }),
  );
  const untouched = await page.content();
  await load(page, [pay]);
  await page.locator("#buy").click();
  const window = await reader.extension.waitForApproval();
  await expect(window.getByRole("button", { name: /^Pay / })).toBeEnabled();
  // The question stands in a window that nobody opened but the wallet, and leaves no trace in the page.
  expect(
    await window.evaluate(() => [globalThis.opener, globalThis.top === globalThis.self, document.referrer]),
  ).toEqual([null, true, ""]);
  expect(await page.content()).toBe(untouched);
  const approvalAddress = window.url();
  const reached = await page.evaluate(async (address) => {
    const opened = globalThis.open(address, "approval");
    const named = globalThis.open("", "approval");
    const isReadable = (other: Window | null) => {
      try {
        return (other?.document.body.textContent ?? "").includes("Pay");
      } catch {
        return false;
      }
    };
    const fetched = await fetch(address).then(
      () => true,
      () => false,
    );
    const framed = [...document.querySelectorAll("iframe")].some(({ contentWindow }) =>
      isReadable(contentWindow),
    );
    return { opened: isReadable(opened), named: isReadable(named), fetched, framed };
  }, approvalAddress);
  expect(reached).toEqual({ opened: false, named: false, fetched: false, framed: false });
  for (const frame of page.frames().slice(1)) expect(await hasOurContent(frame)).toBe(false);
  for (const [index] of addresses.entries()) {
    const popup = await reader.extension.context.newPage();
    await popup.goto(site.addressOf("/window.html"));
    await popup.locator(`#link-${index}`).click();
    await popup.waitForLoadState();
    expect(await hasOurContent(popup)).toBe(false);
    await popup.close();
  }
  await decline(window);
  expectRefusal((await answersTo(page, [pay.id]))[0], "declined");
});

test("keys that were meant for the page, and a click that was under way, do not approve", async () => {
  const before = await totalOf(reader);
  const pay = requestOf("pay", { offer: offer(), mode: "direct" });
  await page.goto(publishHostilePage(site, "/typing.html"));
  await load(page, [pay]);
  const opening = reader.extension.context.waitForEvent("page");
  await page.locator("#buy").click();
  const window = await opening;
  // As soon as there is anything to press it is pressed, as somebody does who is typing.
  await window.waitForSelector("h1");
  await window.keyboard.press("Enter");
  await expect(window.getByRole("button", { name: /^Pay / })).toBeEnabled();
  await expect(window.getByRole("heading", { name: /Payment to/ })).toBeVisible();
  await window.keyboard.press("Escape");
  expectRefusal((await answersTo(page, [pay.id]))[0], "declined");
  expect(await totalOf(reader)).toBe(before);
});

interface Terms {
  readonly resource?: string;
  readonly title?: string;
  readonly kind?: "article" | "tip";
}

function offer(terms: Terms = {}) {
  return makeOffer({
    provider: provider.origin,
    merchant: site.id,
    amount: PRICE,
    currency: "USD",
    kind: "article",
    title: "Bait",
    resource: site.addressOf("/bait.html"),
    ...terms,
  });
}

function badOffer() {
  const { accepts, ...rest } = offer();
  return { ...rest, accepts: [{ ...accepts[0], amount: "0" }] };
}

function expectRefusal(answer: Answer | undefined, code: ErrorCode): void {
  expect(answer?.error).toEqual({ code, message: tellReader(code) });
}

function codeOf({ error }: Answer): string | undefined {
  return error?.code;
}

async function questions(): Promise<string[]> {
  const { approvals } = await readSnapshot(reader.extension);
  return approvals.filter(({ state }) => state === "asking").map(({ id }) => id);
}

/** Windows of the wallet that opened since. */
function countApprovals() {
  const { context } = reader.extension;
  const seen = new Set<Page>();
  const look = async (opened: Page) => {
    await opened.waitForURL(/./).catch(() => undefined);
    if (opened.url().includes(APPROVE_PAGE)) seen.add(opened);
  };
  context.on("page", look);
  return { count: () => seen.size, stop: () => context.off("page", look) };
}

async function hasOurContent(frame: Pick<Page, "evaluate">): Promise<boolean> {
  return frame
    .evaluate(() => location.protocol === "chrome-extension:" || document.getElementById("root") !== null)
    .catch(() => false);
}
