import { beforeEach, expect, it, vi } from "vitest";
import { openFakePage } from "../../test/support/fake-page.ts";

beforeEach(() => {
  vi.resetModules();
});

it("tells a page that asked before it was there, and hears what it asks from then on", async () => {
  const page = openFakePage();
  await import("./known-site.ts");
  expect(page.announced).toHaveLength(1);
  page.request("{}");
  expect(page.sent).toEqual([{ kind: "page", message: "{}", clicked: false }]);
});

it("does not give a reader away in a private window, though the site is known", async () => {
  const page = openFakePage({ isPrivate: true });
  await import("./known-site.ts");
  page.askForWallet();
  page.request("{}");
  expect(page.announced).toEqual([]);
  expect(page.sent).toEqual([]);
});
