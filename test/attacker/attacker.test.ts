/**
 * A provider that keeps all that it receives tries to tell whose payments it was paid with. With the wallet as it is, no
 * strategy does better than chance; with any of the mistakes in `mutants.ts`, the strategy meant for it is right about
 * all readers.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { firstOf } from "../support/thorough.ts";
import { chanceOf } from "./chance.ts";
import { MUTANTS } from "./mutants.ts";
import { CHANCE_BOUND, playRounds } from "./runs.ts";
import { tokensOf } from "./tokens.ts";

const READERS = 8;
const ROUNDS = 2;
/** The first round is enough, where the strategy is as good as it was. */
const MOST_ROUNDS = 3;
const TIMEOUT_MS = 1_800_000;

describe("an attacker who knows nothing", () => {
  it("is right about all of eight readers once in so many ways to name them", () => {
    const all = Array.from({ length: 8 }, (_, reader) =>
      Array.from({ length: 8 }, (__, account) => (reader === account ? 4 : 0)),
    );
    expect(chanceOf([all])).toBeCloseTo(1 / 40_320, 12);
    expect(chanceOf([all, all])).toBeCloseTo(1 / 40_320 ** 2, 15);
  });

  it("is not taken for a clever one because its guesses hang together", () => {
    // All payments of a reader are guessed at once, and rightly: with two readers that is heads or tails.
    expect(
      chanceOf([
        [
          [50, 0],
          [0, 50],
        ],
      ]),
    ).toBe(0.5);
    expect(
      chanceOf([
        [
          [0, 50],
          [50, 0],
        ],
      ]),
    ).toBe(1);
    expect(
      chanceOf([
        [
          [0, 0],
          [0, 0],
        ],
      ]),
    ).toBe(1);
  });
});

it("finds the same bytes wherever they stand: in JSON, base64, a JWS, hex or an address", () => {
  const bytes = Buffer.from("0123456789abcdef0123456789abcdef", "hex");
  const encoded = bytes.toString("base64url");
  const jws = [{ alg: "EdDSA" }, { jti: encoded }].map((part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url"),
  );
  for (const text of [
    bytes.toString("hex"),
    encoded,
    JSON.stringify({ a: [{ b: encoded }] }),
    Buffer.from(JSON.stringify({ a: { b: { c: encoded } } })).toString("base64"),
    `Bearer ${jws.join(".")}.${"A".repeat(86)}`,
    `/payments/${bytes.toString("hex")}/refund?x=1`,
    JSON.stringify({ [bytes.toString("hex")]: 1 }),
  ])
    expect(tokensOf([text]), text).toContain(bytes.toString("hex"));
});

it(
  "does no better than chance at telling whose payments they are, whatever the provider receives and stores",
  async () => {
    const { tallies, faults, requests } = await playRounds({ from: 0, rounds: ROUNDS, readers: READERS });
    expect(faults).toEqual([]);
    // Eight purchases each, and what goes with them: where nothing happens nobody finds anything.
    expect(tallies[0]?.payments).toBe(ROUNDS * READERS * 8);
    expect(requests).toBeGreaterThan(1_000);
    for (const { strategy, proves, given, chance } of tallies) {
      expect(chance, strategy).toBeGreaterThan(CHANCE_BOUND);
      if (proves) expect(given, strategy).toBe(0);
    }
  },
  TIMEOUT_MS,
);

/** First, and in a moment: a mutant of code that was rewritten since changes nothing. */
it.each(MUTANTS)("stands in today's code: $name", ({ edits }) => {
  for (const { file, from } of edits) {
    const source = readFileSync(path.join(import.meta.dirname, "../..", file), "utf8");
    expect(source.split(from), file).toHaveLength(2);
  }
});

it.each(firstOf(MUTANTS, 5))(
  "catches: $name",
  async ({ name, caughtBy }) => {
    const { tallies } = await playRounds({
      from: 0,
      rounds: MOST_ROUNDS,
      readers: READERS,
      mutant: name,
      isEnough: (sofar) =>
        sofar.some(({ strategy, chance }) => strategy === caughtBy && chance < CHANCE_BOUND),
    });
    expect(tallies.find(({ strategy }) => strategy === caughtBy)?.chance).toBeLessThan(CHANCE_BOUND);
  },
  TIMEOUT_MS,
);
