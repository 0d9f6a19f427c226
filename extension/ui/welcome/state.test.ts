import { parse } from "valibot";
import { describe, expect, it } from "vitest";
import { WalletSnapshot } from "../../../shared/protocol/ui.ts";
import { ENGLISH } from "../fixtures/english.ts";
import { emptySnapshot, noWalletSnapshot, readySnapshot, topUp } from "../fixtures/snapshots.ts";
import { speak } from "../shared/text.tsx";
import { creationOf, LOCAL_AT_START, originOf, screen, wordsOf } from "./state.ts";

speak(ENGLISH);

const WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow";
const none = parse(WalletSnapshot, noWalletSnapshot());
const fresh = parse(WalletSnapshot, emptySnapshot());

describe("which step", () => {
  it("does not make a second wallet when the page is opened again", () => {
    expect(screen(none, false, LOCAL_AT_START).is).toBe("create");
    expect(screen(fresh, false, LOCAL_AT_START).is).toBe("phrase");
    expect(screen(parse(WalletSnapshot, readySnapshot(0)), false, LOCAL_AT_START).is).toBe("ready");
  });

  it("does not hold up a reader who writes the phrase down later", () => {
    expect(screen(fresh, false, { ...LOCAL_AT_START, later: true })).toMatchObject({
      is: "ready",
      phraseConfirmed: false,
    });
  });

  it("does not show the words before they are asked for", () => {
    expect(screen(fresh, false, LOCAL_AT_START)).toMatchObject({ words: null });
    expect(screen(fresh, false, { ...LOCAL_AT_START, phrase: WORDS })).toMatchObject({
      words: WORDS.split(" "),
    });
  });

  it("does not congratulate on a top-up of another day", () => {
    const snapshot = parse(WalletSnapshot, { ...readySnapshot(0), topUps: [topUp({ state: "paid" })] });
    expect(screen(snapshot, false, LOCAL_AT_START)).toMatchObject({ topUp: null });
    expect(screen(snapshot, false, { ...LOCAL_AT_START, seenOpenTopUps: ["t1"] })).toMatchObject({
      topUp: { state: "paid" },
    });
  });
});

describe("restoring", () => {
  it("does not start before all the words are there", () => {
    const eleven = {
      ...LOCAL_AT_START,
      mode: "restore",
      typedPhrase: WORDS.split(" ").slice(1).join(" "),
    } as const;
    expect(screen(none, false, eleven)).toMatchObject({ canGo: false, wordCount: 11 });
    expect(screen(none, false, { ...eleven, typedPhrase: WORDS })).toMatchObject({
      canGo: true,
      wordCount: 12,
    });
  });

  it("does not stumble over numbers, line breaks and capitals of a pasted phrase", () => {
    const pasted = WORDS.split(" ")
      .map((word, index) => `${index + 1}. ${word.toUpperCase()}`)
      .join("\n");
    expect(wordsOf(pasted).join(" ")).toBe(WORDS);
    expect(creationOf(none, { ...LOCAL_AT_START, mode: "restore", typedPhrase: pasted })).toEqual({
      phrase: WORDS,
    });
  });

  it("takes no coins away from another browser that goes on paying", () => {
    const typed = { ...LOCAL_AT_START, mode: "restore", typedPhrase: WORDS } as const;
    expect(creationOf(none, typed)).toEqual({ phrase: WORDS });
    expect(creationOf(none, { ...typed, othersAreGone: false })).toEqual({
      phrase: WORDS,
      otherDevices: "in_use",
    });
  });

  it("does not send half-typed words when the reader went back to a new wallet", () => {
    expect(creationOf(none, { ...LOCAL_AT_START, typedPhrase: WORDS })).toEqual({});
  });
});

it("does not ask for a top-up before it is known what the phrase brings back, nor into a frozen account", () => {
  const show = (changes: object) =>
    screen(
      parse(WalletSnapshot, { ...emptySnapshot(), phraseConfirmed: true, ...changes }),
      false,
      LOCAL_AT_START,
    );
  expect(show({ restoring: true })).toMatchObject({ is: "ready", restoring: true });
  expect(show({ frozen: true })).toMatchObject({ is: "ready", frozen: true });
});

describe("the provider's address", () => {
  it.each([
    "",
    "provider",
    "ftp://provider.example",
    "https://provider.example/path",
    "https://a@provider.example",
    "javascript:1",
  ])("does not take %j", (address) => {
    expect(originOf(address)).toBeUndefined();
    expect(screen(none, false, { ...LOCAL_AT_START, typedProvider: address })).toMatchObject({
      canGo: false,
    });
  });

  it("does not pin the default by sending it", () => {
    expect(creationOf(none, { ...LOCAL_AT_START, typedProvider: "http://127.0.0.1:4020/" })).toEqual({});
    expect(creationOf(none, { ...LOCAL_AT_START, typedProvider: " https://provider.example/ " })).toEqual({
      provider: "https://provider.example",
    });
  });
});
