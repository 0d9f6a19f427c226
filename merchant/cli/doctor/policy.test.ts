import { describe, expect, test } from "vitest";
import {
  forbidsConnection,
  forbidsFraming,
  forbidsScript,
  forbidsText,
  readPolicies,
  sandboxOf,
} from "./policy.ts";

const PAGE = "https://paper.example/one.html";
const SCRIPT = { src: "https://paper.example/tuppence.js", integrity: undefined, nonce: undefined };
const HASH = "sha384-AAAA";

describe("a script that a browser would refuse is not called allowed, nor the other way round", () => {
  test.each([
    ["no policy about scripts", "img-src 'none'", {}, true],
    ["the page's own", "script-src 'self'", {}, true],
    ["by default", "default-src 'self'", {}, true],
    ["nothing", "script-src 'none'", {}, false],
    ["nothing by default", "default-src 'none'", {}, false],
    ["the more special directive decides", "script-src 'self'; script-src-elem 'none'", {}, false],
    ["the first of a name decides", "script-src 'none'; script-src 'self'", {}, false],
    ["another host", "script-src https://cdn.example", {}, false],
    ["its host", "script-src paper.example", {}, true],
    ["its host at another port", "script-src paper.example:8443", {}, false],
    ["its host at its port", "script-src paper.example:443", {}, true],
    ["any host below", "script-src https://*.example", {}, true],
    ["any host below, which it is not", "script-src https://*.paper.example", {}, false],
    ["its path", "script-src https://paper.example/tuppence.js", {}, true],
    ["another path", "script-src https://paper.example/other.js", {}, false],
    ["a folder", "script-src https://paper.example/scripts/", {}, false],
    ["a scheme", "script-src https:", {}, true],
    ["another scheme", "script-src data:", {}, false],
    ["everything", "script-src *", {}, true],
    ["its nonce", "script-src 'nonce-abc'", { nonce: "abc" }, true],
    ["another nonce", "script-src 'nonce-abc'", { nonce: "abd" }, false],
    ["its hash", `script-src '${HASH}'`, { integrity: HASH }, true],
    ["hosts do not count beside strict-dynamic", "script-src 'self' 'strict-dynamic'", {}, false],
    ["a nonce beside strict-dynamic", "script-src 'nonce-abc' 'strict-dynamic'", { nonce: "abc" }, true],
    ["of two policies one", "script-src 'self', script-src 'none'", {}, false],
  ])("%s", (_name, policy, script, isAllowed) => {
    const forbidden = forbidsScript(readPolicies(policy, []), { ...SCRIPT, ...script }, PAGE);
    expect(forbidden === undefined).toBe(isAllowed);
  });

  test("a policy in the page counts, but for what only a header can say", () => {
    expect(forbidsScript(readPolicies(null, ["script-src 'none'"]), SCRIPT, PAGE)).toBe("script-src 'none'");
    expect(sandboxOf(readPolicies(null, ["sandbox"]))).toBeUndefined();
    expect(sandboxOf(readPolicies("sandbox allow-scripts", []))).toBe("sandbox allow-scripts");
    expect(sandboxOf(readPolicies("sandbox allow-scripts allow-same-origin", []))).toBeUndefined();
  });
});

test("connections go by connect-src, and by default-src only without it", () => {
  const src = "https://paper.example/api/tides";
  expect(
    forbidsConnection(readPolicies("default-src 'none'; connect-src 'self'", []), src, PAGE),
  ).toBeUndefined();
  expect(forbidsConnection(readPolicies("default-src 'none'", []), src, PAGE)).toBe("default-src 'none'");
  expect(forbidsConnection(readPolicies("connect-src https://api.example", []), src, PAGE)).toBeDefined();
});

test("Trusted Types stand in the way only where they are required and name other policies", () => {
  const required = "require-trusted-types-for 'script'";
  expect(forbidsText(readPolicies("trusted-types other", []))).toBeUndefined();
  expect(forbidsText(readPolicies(required, []))).toBeUndefined();
  expect(forbidsText(readPolicies(`${required}; trusted-types tuppence`, []))).toBeUndefined();
  expect(forbidsText(readPolicies(`${required}; trusted-types *`, []))).toBeUndefined();
  expect(forbidsText(readPolicies(`${required}; trusted-types other`, []))).toBe("trusted-types other");
});

test.each([
  [{ "x-frame-options": "DENY" }, "https://reader.example", false],
  [{ "x-frame-options": "SAMEORIGIN" }, "https://reader.example", false],
  [{ "x-frame-options": "SAMEORIGIN" }, "https://paper.example", true],
  [{ "content-security-policy": "frame-ancestors 'none'" }, "https://paper.example", false],
  [{ "content-security-policy": "frame-ancestors https://reader.example" }, "https://reader.example", true],
  // Where the policy names ancestors, the older header is not read.
  [
    { "x-frame-options": "DENY", "content-security-policy": "frame-ancestors https://reader.example" },
    "https://reader.example",
    true,
  ],
  [{}, "https://reader.example", true],
])(
  "framing by who may is not called forbidden, nor the other way round: %j in %s",
  (headers, parent, isAllowed) => {
    expect(forbidsFraming(new Headers(headers), PAGE, parent) === undefined).toBe(isAllowed);
  },
);
