import { expect, it } from "vitest";
import { ConfigError, readConfig } from "./config.ts";

it("starts without a single setting", () => {
  expect(readConfig({})).toMatchObject({
    port: 4020,
    origin: "http://127.0.0.1:4020",
    accountsOrigin: "http://localhost:4020",
    unit: "usd6",
    feeBasisPoints: 1_000n,
  });
});

it("lets the default origins follow the port that was really bound", () => {
  expect(readConfig({ TUPPENCE_PORT: "0" }, 51_234)).toMatchObject({
    port: 51_234,
    origin: "http://127.0.0.1:51234",
    accountsOrigin: "http://localhost:51234",
  });
  expect(readConfig({ TUPPENCE_PORT: "0", TUPPENCE_ORIGIN: "https://pay.example" }, 51_234).origin).toBe(
    "https://pay.example",
  );
});

it("keeps fees and amounts exactly", () => {
  expect(
    readConfig({
      TUPPENCE_FEE_PERCENT: "2.5",
      TUPPENCE_PAYOUT_MINIMUM: "0.30",
      TUPPENCE_PROVISIONAL_LIMIT: "0",
    }),
  ).toMatchObject({
    feeBasisPoints: 250n,
    payoutMinimum: 300_000n,
    provisionalLimit: 0n,
  });
});

it.each([
  ["TUPPENCE_PORT", "80a", "is not a whole number"],
  ["TUPPENCE_PORT", "70000", "is more than 65535"],
  ["TUPPENCE_ORIGIN", "http://127.0.0.1:4020/", "is not an origin"],
  ["TUPPENCE_ORIGIN", "ftp://pay.example", "is not an origin"],
  ["TUPPENCE_CURRENCY", "usd", "is not a currency code"],
  ["TUPPENCE_FEE_PERCENT", "101", "is more than 100"],
  ["TUPPENCE_FEE_PERCENT", "1.234", "is not a percentage"],
  ["TUPPENCE_TOPUP_MOST", "0", "is not an amount above zero"],
  ["TUPPENCE_TOPUP_LEAST", "0.0005", "is not an amount above zero"],
  ["TUPPENCE_PAYOUT_MINIMUM", "ten", "is not an amount of money"],
  ["TUPPENCE_MODE", "sandbox", "is neither live nor test"],
  ["TUPPENCE_COUNTERPART", "https://test.pay.example/", "is not an origin"],
  ["TUPPENCE_LOG_LEVEL", "loud", "is not a level of logging"],
  ["TUPPENCE_METRICS_PORT", "70000", "is more than 65535"],
  ["TUPPENCE_METRICS_PORT", "on", "is not a port"],
  ["TUPPENCE_TRUST_PROXY", "true", "is not a list of addresses"],
  ["TUPPENCE_TRUST_PROXY", "10.0.0.0/33", "is not a list of addresses"],
])("stops at %s=%s with one sentence that says what is wrong and what would do", (name, value, fault) => {
  const sentence = refusal({ [name]: value });
  expect(sentence).toContain(`${name} is "${value}", which ${fault}`);
  expect(sentence).toMatch(/a value that would do: .+\.$/);
  expect(sentence).not.toContain("\n");
});

it("stops at a setting that is misspelt, which would otherwise be a limit that nobody set", () => {
  expect(refusal({ TUPPENCE_PROVISIONAL_LIMITS: "5" })).toContain(
    "TUPPENCE_PROVISIONAL_LIMITS is not a setting",
  );
});

it("stops where both origins are one, or where limits contradict each other", () => {
  expect(refusal({ TUPPENCE_ACCOUNTS_ORIGIN: "http://127.0.0.1:4020" })).toContain(
    "TUPPENCE_ACCOUNTS_ORIGIN",
  );
  expect(
    refusal({ TUPPENCE_ORIGIN: "http://pay.example", TUPPENCE_ACCOUNTS_ORIGIN: "https://pay.example" }),
  ).toContain("same host");
  expect(refusal({ TUPPENCE_TOPUP_LEAST: "60" })).toContain("TUPPENCE_TOPUP_LEAST");
  expect(refusal({ TUPPENCE_TOPUP_PER_DAY: "20" })).toContain("TUPPENCE_TOPUP_MOST");
});

it("is live unless it is said otherwise, and in test mode readers see it in its name", () => {
  expect(readConfig({})).toMatchObject({ mode: "live", counterpart: undefined, name: "Tuppence Sandbox" });
  expect(readConfig({ TUPPENCE_MODE: "test", TUPPENCE_NAME: "Example" })).toMatchObject({
    mode: "test",
    name: "Example (test)",
  });
});

it("stops where the counterpart is known by half, or is the provider itself", () => {
  const both = {
    TUPPENCE_COUNTERPART: "http://127.0.0.1:4021",
    TUPPENCE_COUNTERPART_ACCOUNTS: "http://localhost:4021",
  };
  expect(readConfig(both).counterpart).toEqual({
    origin: "http://127.0.0.1:4021",
    accountsOrigin: "http://localhost:4021",
  });
  expect(refusal({ ...both, TUPPENCE_COUNTERPART: "" })).toContain("TUPPENCE_COUNTERPART is not set");
  expect(refusal({ ...both, TUPPENCE_COUNTERPART_ACCOUNTS: "" })).toContain("TUPPENCE_COUNTERPART_ACCOUNTS");
  for (const own of ["http://127.0.0.1:4020", "https://localhost:4020"])
    expect(refusal({ ...both, TUPPENCE_COUNTERPART: own })).toContain("this provider itself");
  expect(refusal({ ...both, TUPPENCE_COUNTERPART_ACCOUNTS: "http://localhost:4020" })).toContain("itself");
  expect(refusal({ ...both, TUPPENCE_COUNTERPART_ACCOUNTS: "https://127.0.0.1:4021" })).toContain(
    "same host",
  );
});

function refusal(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("it started");
}
