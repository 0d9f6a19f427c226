/**
 * Firefox's own window around the page: its context menu, and the wallet's button in its toolbar. It is reached by WebDriver
 * in the browser's own scope, which its flag `-remote-allow-system-access` allows; Chromium has nothing like it.
 */
import type { Browser, ElementHandle, Page } from "puppeteer-core";
import * as v from "valibot";

const WINDOW = "chrome://browser/content/browser.xhtml";
/** What Firefox makes of the extension's id in the manifest. */
const WIDGET = "wallet_tuppence_example-browser-action";
/** More than any menu has. */
const MAX_PRESSES = 50;

export interface FirefoxWindow {
  /** What the menu offers that a click with the right button on this element opens. It is closed again. */
  menuOn(page: Page, element: ElementHandle): Promise<string[]>;
  /** The same click, then the arrow key until the item is marked, then Enter. */
  chooseOn(page: Page, element: ElementHandle, item: string): Promise<void>;
  /** As `menuOn`, on the wallet's button in the toolbar. */
  menuOnButton(): Promise<string[]>;
  /** The picture that the toolbar shows on the wallet's button, as it is drawn: red, green and blue of each of its pixels. */
  drawnIcon(): Promise<Pixel[]>;
}

const Pixel = v.tuple([v.number(), v.number(), v.number()]);
export type Pixel = v.InferOutput<typeof Pixel>;
const Labels = v.array(v.string());

const Tree = v.object({
  result: v.object({ contexts: v.array(v.object({ context: v.string(), url: v.string() })) }),
});
const Evaluated = v.object({
  result: v.variant("type", [
    v.object({
      type: v.literal("success"),
      result: v.object({ type: v.string(), value: v.optional(v.string()) }),
    }),
    v.object({ type: v.literal("exception"), exceptionDetails: v.object({ text: v.string() }) }),
  ]),
});

/** With the wallet's button in the toolbar, where a reader may pin it. */
export async function browserWindow(browser: Browser): Promise<FirefoxWindow> {
  const tree = v.parse(Tree, await send(browser, "browsingContext.getTree", { "moz:scope": "chrome" }));
  const context = tree.result.contexts.find(({ url }) => url === WINDOW)?.context;
  if (context === undefined) throw new Error("Firefox shows no window of its own");
  /** The body of an asynchronous function in the browser's own window; what it returns comes as JSON. */
  const inWindow = async (body: string): Promise<unknown> => {
    const { result: answer } = v.parse(
      Evaluated,
      await send(browser, "script.evaluate", {
        expression: `(async () => { ${HELPERS} ${body} })().then((value) => JSON.stringify(value ?? null))`,
        target: { context },
        awaitPromise: true,
      }),
    );
    if (answer.type === "exception") throw new Error(answer.exceptionDetails.text);
    return JSON.parse(answer.result.value ?? "null");
  };
  const openMenu = async (page: Page, element: ElementHandle) => {
    await page.bringToFront();
    await element.click({ button: "right" });
    await inWindow("await shown(PAGE_MENU());");
  };
  await inWindow(`CustomizableUI.addWidgetToArea("${WIDGET}", CustomizableUI.AREA_NAVBAR);`);

  return {
    async menuOn(page, element) {
      await openMenu(page, element);
      return v.parse(Labels, await inWindow("return closed(PAGE_MENU());"));
    },
    async chooseOn(page, element, item) {
      await openMenu(page, element);
      for (let press = 0; press < MAX_PRESSES; press += 1) {
        await inWindow(`press("ArrowUp", 38);`);
        const marked = await inWindow(`return PAGE_MENU().querySelector("[_moz-menuactive]")?.label;`);
        if (marked === item) return void (await inWindow(`press("Enter", 13);`));
      }
      throw new Error(`the menu does not offer "${item}"`);
    },
    menuOnButton: async () =>
      v.parse(
        Labels,
        await inWindow(`
          const { x, y, width, height } = BUTTON().getBoundingClientRect();
          const menu = document.getElementById("toolbar-context-menu");
          synthesizeMouseEvent("contextmenu", x + width / 2, y + height / 2, { button: 2, clickCount: 1 }, {});
          await shown(menu);
          return closed(menu);`),
      ),
    drawnIcon: async () =>
      v.parse(
        v.array(Pixel),
        await inWindow(`
          const place = BUTTON().querySelector(".toolbarbutton-icon").getBoundingClientRect();
          const drawn = await browsingContext.currentWindowGlobal.drawSnapshot(place, 1, "white");
          const canvas = new OffscreenCanvas(drawn.width, drawn.height).getContext("2d");
          canvas.drawImage(drawn, 0, 0);
          const { data } = canvas.getImageData(0, 0, drawn.width, drawn.height);
          return Array.from({ length: data.length / 4 }, (_, pixel) => [...data.slice(4 * pixel, 4 * pixel + 3)]);`),
      ),
  };
}

const HELPERS = `
  const PAGE_MENU = () => document.getElementById("contentAreaContextMenu");
  const BUTTON = () => document.getElementById("${WIDGET}").querySelector("toolbarbutton");
  const shown = async (menu) => {
    if (menu.state !== "open") await new Promise((resolve) => menu.addEventListener("popupshown", resolve, { once: true }));
  };
  const closed = (menu) => {
    const labels = [...menu.querySelectorAll("menuitem, menu")].filter((item) => item.label && item.getBoundingClientRect().height > 0).map(({ label }) => label);
    menu.hidePopup();
    return labels;
  };
  const press = (key, keyCode) => {
    const keyboard = Cc["@mozilla.org/text-input-processor;1"].createInstance(Ci.nsITextInputProcessor);
    keyboard.beginInputTransactionForTests(window);
    const event = new window.KeyboardEvent("", { key, keyCode });
    keyboard.keydown(event);
    keyboard.keyup(event);
  };`;

/** Puppeteer itself speaks of pages only. */
function send(browser: Browser, method: string, params: object): Promise<unknown> {
  const connection = Reflect.get(browser, "connection");
  return Reflect.get(connection, "send").call(connection, method, params);
}
