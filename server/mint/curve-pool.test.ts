import { randomBytes } from "node:crypto";
import { afterEach, expect, test } from "vitest";
import { toHex, utf8 } from "../../shared/bytes.ts";
import { hashToCurve, signBlinded } from "./curve.ts";
import { type CurvePool, openCurvePool } from "./curve-pool.ts";
import { signAll, type VerifyTask } from "./curve-tasks.ts";

const KEY = new Uint8Array(32).fill(7);
const MOST_WAITING = 65_536;

let pool: CurvePool;
afterEach(() => pool.close());

test("answers each of many callers about its own coins, in their order, however they travelled", async () => {
  pool = openCurvePool(2);
  const asked = Array.from({ length: 60 }, (_, index) =>
    Array.from({ length: index % 11 === 0 ? 150 : index % 4 }, (__, place) =>
      coin((index + place) % 3 === 0),
    ),
  );
  const answers = await Promise.all(asked.map((coins) => pool.verify(coins)));
  for (const [index, coins] of asked.entries()) {
    expect(answers[index]?.map(({ y }) => y)).toEqual(
      coins.map(({ secret }) => toHex(hashToCurve(utf8(secret)))),
    );
    expect(answers[index]?.map(({ genuine }) => genuine)).toEqual(coins.map(({ C }) => C !== FORGED));
  }
  expect(pool.queueLength()).toBe(0);
});

test("closes not before its threads have loaded, and answers what was asked by then", async () => {
  pool = openCurvePool(2);
  const [asked] = await Promise.allSettled([pool.ping(), pool.close()]);
  expect(asked.status).toBe("fulfilled");
});

test("fails those who travelled with what cannot be done, and nobody after them", async () => {
  pool = openCurvePool(1);
  const good = { key: KEY, B_: toHex(hashToCurve(randomBytes(32))) };
  const [together, impossible] = await Promise.allSettled([
    pool.sign([good]),
    pool.sign([{ key: KEY, B_: "no point" }]),
  ]);
  expect([together.status, impossible.status]).toEqual(["rejected", "rejected"]);
  expect(await pool.sign([good, good])).toEqual(signAll([good, good]));
});

test("says that it is busy instead of letting anybody wait behind more than it can do", async () => {
  pool = openCurvePool(1);
  const one = coin(true);
  const many = pool.verify(Array.from({ length: MOST_WAITING }, () => one)).catch(() => "ended");
  expect(pool.queueLength()).toBe(MOST_WAITING);
  await expect(pool.verify([one])).rejects.toMatchObject({ code: "overloaded" });
  await pool.close();
  expect(await many).toBe("ended");
});

const FORGED = toHex(hashToCurve(utf8("somebody else's")));

function coin(isGenuine: boolean): VerifyTask["coins"][number] {
  const secret = toHex(randomBytes(32));
  return {
    key: KEY,
    secret,
    C: isGenuine ? signBlinded(KEY, toHex(hashToCurve(utf8(secret)))) : FORGED,
  };
}
