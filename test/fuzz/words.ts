/** Values that are known to hurt decoders, as JSON is written, and small edits of what stands there. */

/** Written out only when it is used, so that a counterexample stays short. */
export interface Repeated {
  readonly text: string;
  readonly times: number;
  readonly before?: string;
  readonly after?: string;
  /** As often again. */
  readonly closing?: string;
}

const quoted = (text: string, times: number): Repeated => ({ text, times, before: '"', after: '"' });

/** As JSON text; some of it is none. */
export const TEXTS: readonly (string | Repeated)[] = [
  ...["null", "true", "false", "{}", "[]", '""', '"0"', "", "undefined", "NaN", "'x'", "//", "[,]", "{,}"],
  ...["0", "-0", "-1", "1", "2", "1.5", "1e3", "0.1e1", "1e21", "1e308", "1e999", "-1e999", "1E400", "01"],
  ...["1000", "50000", "999999", "2147483648", "4294967296", "9007199254740991", "9007199254740992"],
  ...["9007199254740993", "18446744073709551616", "1000000000001", "123456789012345678901234567890"],
  ...['"1"', '"-1"', '"-50000"', '"50000.0"', '"5e4"', '"0x10"', '"1000000000000"', '"1000000000001"'],
  ...[
    '"9999999999999"',
    '"99999999999999999999"',
    '" 50000"',
    '"50000\\n"',
    '"٥٠"',
    '"５００００"',
    '"1_000"',
  ],
  ...['"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udfff\\ud800"', '"\\u202e\\u200b\\ufeff"', '"e\\u0301"'],
  ...[
    '"𝒳👩‍👩‍👧‍👦"',
    '"İıſK"',
    '"\\r\\n"',
    '"\\u2028"',
    '"<script>alert(1)</script>"',
    '"%00"',
    '"../../etc"',
  ],
  ...['"__proto__"', '"constructor"', '"toString"', '"hasOwnProperty"', '{"__proto__":{"a":1}}'],
  ...['{"constructor":{"prototype":{"a":1}}}', '{"toString":1,"valueOf":1}', '{"then":1}', '{"length":1e9}'],
  ...['{"toJSON":1}', '["__proto__"]', "[[]]", "[{}]", "[null]", '[0,"",null,{},[]]'],
  // Points that are none: past the field's prime, zero, off the curve, uncompressed, at infinity, too short.
  ...['"02ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"'],
  ...['"020000000000000000000000000000000000000000000000000000000000000000"'],
  ...['"020000000000000000000000000000000000000000000000000000000000000005"'],
  ...['"0479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"', '"00"', '"02"'],
  ...['"0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"'],
  ...['"02fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"'],
  // Addresses
  ...[
    '"http://"',
    '"https://x"',
    '"https://x/"',
    '"https://u:p@x.example/"',
    '"javascript:alert(1)"',
    '"//x"',
  ],
  ...[
    '"https://lantern.example:443/a"',
    '"https://lantern.example:99999"',
    '"https://[::1]/"',
    '"HTTPS://X"',
  ],
  ...['"https://xn--/"', '"https://a%00b/"', '"https://例え.jp/\\u0000"', '"file:///etc/passwd"', '"null"'],
  // Tokens
  ...['"a.b.c"', '".."', '"e30.e30.e30"', '"eyJhbGciOiJub25lIn0.e30."', '"eyJhbGciOiJFZERTQSJ9.bnVsbA.AA"'],
  ...['"-"', '"A"', '"AA"', '"AAA"', '"AAAA"', '"=="', '"+/+/"'],
  quoted("x", 300),
  quoted("x", 301),
  quoted("a", 513),
  quoted("x", 2_049),
  quoted("A", 8_193),
  quoted("x", 40_000),
  quoted("0", 64),
  quoted("f", 64),
  quoted("f", 32),
  quoted("A", 43),
  quoted("9", 5_000),
  quoted("\\u0000", 300),
  quoted("\\ud800", 300),
  quoted("👩‍👩‍👧‍👦", 40),
  quoted("x", 300_000),
  { text: "9", times: 400 },
  { text: "9", times: 400, before: "0." },
  { text: "[", times: 20_000 },
  { text: "0,", times: 20_000, before: "[", after: "0]" },
  { text: '"a":1,', times: 5_000, before: "{", after: '"a":2}' },
  { text: " ", times: 20_000, after: "1" },
];

/** Nested deeper than the stack of whoever walks through it by calling itself. */
export const DEEP: readonly Repeated[] = [
  { text: "[", times: 6_000, closing: "]" },
  { text: "[", times: 12_000, closing: "]" },
  { text: "[", times: 60_000, closing: "]" },
  { text: '{"a":', times: 4_000, after: "1", closing: "}" },
  { text: '{"a":', times: 40_000, after: "1", closing: "}" },
];

export const KEYS: readonly string[] = [
  ...["__proto__", "constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "then", "toJSON"],
  ...[
    "",
    " ",
    "\u0000",
    "\ud800",
    "amount",
    "AMOUNT",
    "id",
    "type",
    "kind",
    "v",
    "success",
    "dleq",
    "witness",
  ],
  ...["outputs", "inputs", "extensions", "length", "0", "-1", "1e3", "ключ"],
];

type Edit = (text: string, place: number) => string;

/** Of the text of one value, quotes and all: what comes out is nearly what stood there. */
export const EDITS: Readonly<Record<string, Edit>> = {
  "turn a character": (text, place) =>
    within(text, place, (character) => (character === "0" ? "1" : character === "a" ? "b" : "0")),
  "leave a character out": (text, place) => within(text, place, () => ""),
  "double a character": (text, place) => within(text, place, (character) => character + character),
  "put a zero byte": (text, place) => within(text, place, (character) => `${character}\\u0000`),
  "put half a character": (text, place) => within(text, place, (character) => `${character}\\ud83d`),
  "put a space": (text, place) => within(text, place, (character) => `${character} `),
  "put a dot": (text, place) => within(text, place, () => "."),
  "cut off the rest": (text, place) => (text.startsWith('"') ? `${text.slice(0, 1 + place)}"` : text),
  "in capitals": (text) => (text.startsWith('"') ? text.toUpperCase() : text),
  "with a quote": (text) => text.slice(0, -1),
  "as text": (text) => (text.startsWith('"') ? text : `"${text}"`),
  "as a number": (text) => (text.startsWith('"') ? text.slice(1, -1) || "0" : text),
  "in a list": (text) => `[${text}]`,
  "one more": (text) => counted(text, (number) => number + 1n),
  "one less": (text) => counted(text, (number) => number - 1n),
  negative: (text) => counted(text, (number) => -number),
  "a thousandfold": (text) => counted(text, (number) => number * 1_000n),
  "and a half": (text) => (text.startsWith('"') ? text : `${text}.5`),
  twice: (text) => (text.startsWith('"') ? `${text.slice(0, -1)}${text.slice(1)}` : `${text}${text}`),
};

function within(text: string, place: number, change: (character: string) => string): string {
  if (!text.startsWith('"') || text.length < 3) return text;
  const position = 1 + (place % (text.length - 2));
  return text.slice(0, position) + change(text.charAt(position)) + text.slice(position + 1);
}

function counted(text: string, change: (number: bigint) => bigint): string {
  const [, quote, digits] = /^("?)(-?[0-9]{1,30})"?$/.exec(text) ?? [];
  return digits === undefined ? text : `${quote}${change(BigInt(digits))}${quote}`;
}
