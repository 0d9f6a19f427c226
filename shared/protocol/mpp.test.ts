import { expect, test } from "vitest";
import { encodeMpp, formatChallenge, formatCredential, readChallenges, readCredential } from "./mpp.ts";

const CHALLENGE = {
  id: "x7Tg2pLqR9mKvNwY3hBcZa",
  realm: "api.example.com",
  method: "tuppence",
  intent: "charge",
  request: encodeMpp({ amount: "50000" }),
  expires: "2027-01-15T12:05:00Z",
};

test("a challenge is read as it was written, also among others", () => {
  const written = formatChallenge(CHALLENGE);
  expect(readChallenges(written)).toEqual([CHALLENGE]);
  const others = `Basic realm="a, \\"b\\"=c", ${written}, Bearer, Negotiate dG9rZW4=, payment id=1, realm=r, method=card, intent=charge, request=e30`;
  expect(readChallenges(others)).toEqual([
    CHALLENGE,
    { id: "1", realm: "r", method: "card", intent: "charge", request: "e30" },
  ]);
});

test("what is in quotes neither ends them nor begins another challenge", () => {
  const realm = 'Payment id="2", a\\b';
  expect(readChallenges(formatChallenge({ ...CHALLENGE, realm }))).toEqual([{ ...CHALLENGE, realm }]);
});

test.each([
  null,
  "",
  "Payment",
  'Payment id="", realm="r", method="m", intent="i", request="r"',
  'Payment realm="r", method="m", intent="i", request="r"',
  'Payment id="1", realm="r", method="m", intent="i", request="r", expires="soon"',
  `Payment id="1", realm="${"r".repeat(20_000)}", method="m", intent="i", request="r"`,
  `Payment ${'"'.repeat(10_000)}`,
])("what is no challenge is passed over: %.40s", (header) => {
  expect(readChallenges(header)).toEqual([]);
});

test("a credential without a sealed payment is malformed; another scheme is none", () => {
  expect(readCredential(undefined)).toBeUndefined();
  expect(readCredential("Bearer a")).toBeUndefined();
  expect(readCredential("Payments a")).toBeUndefined();
  for (const header of ["Payment", "payment ", "Payment %%%", "Payment e30", formatCredential(CHALLENGE, {})])
    expect(readCredential(header), header).toBe("malformed");
});
