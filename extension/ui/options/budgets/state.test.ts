import { parse } from "valibot";
import { beforeAll, expect, it } from "vitest";
import { WalletSnapshot } from "../../../../shared/protocol/ui.ts";
import { ENGLISH } from "../../fixtures/english.ts";
import { readySnapshot } from "../../fixtures/snapshots.ts";
import { speak } from "../../shared/text.tsx";
import { budgetsScreen, readLimit, readSite } from "./state.ts";

const NOW = 1_790_000_000_000;
const SNAPSHOT = parse(WalletSnapshot, {
  ...readySnapshot(NOW),
  allowances: readySnapshot(NOW).allowances.slice(0, 1),
});

beforeAll(() => speak(ENGLISH));

it("takes what a person types for a limit, and nothing for none", () => {
  expect([
    readLimit("$5", "USD"),
    readLimit("75¢", "USD"),
    readLimit(" ", "USD"),
    readLimit("5,-", "USD"),
    readLimit("0", "USD"),
  ]).toEqual([5_000_000n, 750_000n, null, undefined, undefined]);
});

it("sets no budget without an end, and says which field is no amount", () => {
  const words = { perPayment: "10¢", perDay: "", perMonth: "" };
  expect(readSite(words, "USD")).toEqual({ problems: { perMonth: "Set a limit for a day or a month." } });
  expect(readSite({ ...words, perDay: "one" }, "USD")).toHaveProperty("problems.perDay");
  expect(readSite({ ...words, perDay: "$1" }, "USD")).toEqual({
    limits: { perPayment: 100_000n, perDay: 1_000_000n, perMonth: null },
  });
});

it("offers a budget to each site that was paid and has none, once", () => {
  const { sites, others } = budgetsScreen(SNAPSHOT, undefined);
  expect(sites.map(({ origin }) => origin)).toEqual(["https://gazette.example"]);
  expect(others.map(({ origin }) => origin)).toEqual(["https://lighthouse.example"]);
});

it("begins a budget for the site that the reader chose, and forgets no other", () => {
  const { sites, others } = budgetsScreen(SNAPSHOT, "https://lighthouse.example");
  expect(sites).toMatchObject([
    { origin: "https://lighthouse.example", merchantName: "Letters from a Lighthouse", isNew: true },
    { origin: "https://gazette.example", isNew: false, words: { perMonth: "$1.00", perDay: "" } },
  ]);
  expect(others).toEqual([]);
  expect(budgetsScreen(SNAPSHOT, "https://gazette.example").sites).toHaveLength(1);
});
