import { expect, it } from "vitest";
import { isWebAddress, siteName } from "./site.ts";

it("does not let a letter of another alphabet pass for the real one", () => {
  expect(siteName("https://bаnk.example")).toBe("xn--bnk-6cd.example");
});

it("does not leave out the port, by which two sites on one computer differ", () => {
  expect(siteName("http://localhost:4030")).toBe("localhost:4030");
});

it.each(["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "", "checkout"])(
  "does not open %j",
  (address) => {
    expect(isWebAddress(address)).toBe(false);
  },
);

it("opens a checkout page", () => {
  expect(isWebAddress("http://localhost:4020/checkout/sandbox/1")).toBe(true);
});
