import { afterEach, beforeEach, expect, it } from "vitest";
import { micros } from "../../../../shared/money.ts";
import type { ExportedPayment } from "../../../../shared/protocol/ui.ts";
import { csvOf, jsonOf } from "./export.ts";

const ZONE = process.env.TZ;
beforeEach(() => {
  process.env.TZ = "America/New_York";
});
afterEach(() => {
  if (ZONE === undefined) delete process.env.TZ;
  else process.env.TZ = ZONE;
});

it("writes amounts in the currency and exactly, and times with the offset that held then", () => {
  const [header, summer, winter, end] = csvOf(
    [
      paid({ at: Date.parse("2026-10-31T12:00:00-04:00"), amount: micros(50_000) }),
      paid({ at: Date.parse("2026-11-01T12:00:00-05:00"), amount: micros(12_345_001_000) }),
    ],
    "USD",
  ).split("\r\n");
  expect(header).toBe("time,state,kind,amount,currency,amount_micros,title,merchant,site,address,payment_id");
  expect(summer).toBe(
    "2026-10-31T12:00:00-04:00,paid,article,0.05,USD,50000,Tide mills,The Lantern,https://lantern.example,https://lantern.example/1,1",
  );
  expect(winter).toContain("2026-11-01T12:00:00-05:00,paid,article,12345.001,USD,12345001000,");
  expect(end).toBe("");
});

it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])(
  "gives a spreadsheet no formula of a page's to run: %j",
  (title) => {
    const [record] = parseCsv(csvOf([paid({ title, merchantName: title })], "USD"));
    expect([record?.title, record?.merchant]).toEqual([`'${title}`, `'${title}`]);
  },
);

it("keeps commas, quotes and line ends within their cell", () => {
  const title = 'Fog, and "how"\r\nto charge\nfor it';
  const [record, ...others] = parseCsv(csvOf([paid({ title })], "USD"));
  expect(record?.title).toBe(title);
  expect(others).toEqual([]);
});

it("gives the receipts along in JSON, and titles as they are", () => {
  const { payments } = JSON.parse(jsonOf([paid({ title: "=1", receipt: "a.b.c" })], "EUR"));
  expect(payments).toEqual([
    expect.objectContaining({
      title: "=1",
      receipt: "a.b.c",
      amount: "0.05",
      amount_micros: "50000",
      currency: "EUR",
    }),
  ]);
});

/** A reader of RFC 4180 that is not ours to break together with the writer. */
function parseCsv(text: string): Record<string, string>[] {
  const rows: string[][] = [[]];
  const pattern = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|$)/gy;
  for (
    let match = pattern.exec(text);
    match !== null && match.index < text.length;
    match = pattern.exec(text)
  ) {
    const [, cell = "", end] = match;
    rows.at(-1)?.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end === "\r\n") rows.push([]);
    if (end === "") break;
  }
  const [header = [], ...records] = rows.filter((row) => row.length > 1);
  return records.map((row) => Object.fromEntries(header.map((name, index) => [name, row[index] ?? ""])));
}

function paid(changes: Partial<ExportedPayment>): ExportedPayment {
  return {
    id: "1",
    at: 0,
    amount: micros(50_000),
    kind: "article",
    title: "Tide mills",
    merchantName: "The Lantern",
    origin: "https://lantern.example",
    resource: "https://lantern.example/1",
    state: "paid",
    refundableUntil: null,
    unopened: false,
    askedBack: false,
    error: null,
    receipt: null,
    ...changes,
  };
}
