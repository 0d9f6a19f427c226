/**
 * Reads the pages' sources, as the compiler does, for what a translator would never see: words in JSX or in a string, a value
 * that a message has no place for or lacks, a message that nobody says, an amount written the English way.
 */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import english from "../../_locales/en/messages.json" with { type: "json" };
import { ERROR_WORDS } from "./error-text.ts";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const MESSAGES: Readonly<Record<string, { readonly message: string }>> = english;
/** The functions whose first argument is a message's key and the second its values. */
const SPEAKERS = ["t", "tCount"];
/** Attributes that take no words for people. */
const WORDLESS = ["class", "d", "points", "transform", "viewBox", "aria-describedby", "aria-labelledby"];
/** Of `shared/money.ts`: how the provider and the command line write amounts. */
const PLAIN_MONEY = ["formatMoney", "formatBalance", "parseMoney"];
const LETTER = /\p{L}/u;
/** Two words, or one that begins or ends like a sentence: what no message's key, class or id looks like. */
const SENTENCE = /\p{L}\S*\s+\S*\p{L}|^\s*\p{Lu}\p{Ll}|\p{L}[.!?…]\s*$|^[^\P{L}\p{ASCII}]/u;
/** Lines of an icon, and keys of the keyboard. */
const NO_SENTENCE = /^m-?[.\d][-.\d\smlhvcsqtaz]*$|^(Tab|Shift|Control|Alt|Meta|Enter|Escape)$/i;

const sources = sourcesOf("extension/ui/**/*.{ts,tsx}");
const background = sourcesOf("extension/background/**/*.ts");

describe("the sources of the pages", () => {
  it("are read at all", () => {
    expect(sources.length).toBeGreaterThan(20);
  });

  it("have no words that are not in _locales", () => {
    expect(sources.flatMap(words)).toEqual([]);
  });

  it("hand every message the values that it names, and no others", () => {
    expect(sources.flatMap(wrongValues)).toEqual([]);
  });

  it("write no amount the English way", () => {
    const own = "extension/ui/shared/money.ts";
    expect(sources.filter(({ fileName }) => fileName !== own).flatMap(plainMoney)).toEqual([]);
  });

  it("say every message that translators translate", () => {
    const said = new Set([
      ...[...sources, ...background].flatMap(literals),
      ...(readFileSync(path.join(ROOT, "manifest.json"), "utf8").match(/(?<=__MSG_)\w+(?=__")/g) ?? []),
      ...Object.entries(ERROR_WORDS).flatMap(([code, [safe, next]]) => [
        `error_${code}_title`,
        `error_safe_${safe}`,
        `error_next_${next}`,
      ]),
    ]);
    const beginnings = sources.flatMap(beginningsOfKeys);
    const unsaid = Object.keys(MESSAGES)
      .map((key) => key.split("__")[0] ?? key)
      .filter((key) => !said.has(key) && !beginnings.some((beginning) => key.startsWith(beginning)));
    expect(unsaid).toEqual([]);
    // The background names its messages without the compiler's help.
    const unknown = background
      .flatMap(literals)
      .filter((key) => /^background_/.test(key) && !(key in MESSAGES));
    expect(unknown).toEqual([]);
  });
});

it.each([
  ["words between tags", "<p>Hello</p>"],
  ["words in an attribute", '<p aria-label="Hello" />'],
  ["words in a property", '<Section title={isNew ? "New" : t("shared_close")} />'],
  ["words with a value", '<p title={"Until " + time} />'],
  ["words behind a condition", '<p>{isOpen && "open"}</p>'],
  ["words in a string", 'const problem = "type an amount";'],
  ["words behind ??", '<p>{problem ?? "none"}</p>'],
])("sees %s", (_case, source) => {
  expect(words(parse("example.tsx", source))).toHaveLength(1);
});

it.each([
  ["a value too few", 't("popup_tip")'],
  ["another value", 't("popup_tip", { site: 1 })'],
  ["a value too many", 't("shared_close", { amount })'],
  ["a place without its element", '<Words of="popup_left_of" left={left} />'],
  ["either of two keys without its value", 't(isTip ? "approve_tip_amount" : "approve_pay")'],
  ["a count without the other value", 'tCount("welcome_restore_count", 5)'],
])("sees %s", (_case, source) => {
  expect(wrongValues(parse("example.tsx", source))).toHaveLength(1);
});

function sourcesOf(pattern: string): ts.SourceFile[] {
  return globSync(pattern, { cwd: ROOT })
    .filter((file) => !/\.test\.tsx?$|^extension\/ui\/fixtures\//.test(file))
    .sort()
    .map((file) => parse(file, readFileSync(path.join(ROOT, file), "utf8")));
}

function parse(file: string, text: string): ts.SourceFile {
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
}

function words(source: ts.SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (isMachines(node)) return;
    const text = textOf(node);
    if (text !== undefined && (isShown(node) ? LETTER.test(text) : isSentence(text)))
      found.push(at(node, text));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isSentence(text: string): boolean {
  return SENTENCE.test(text) && !NO_SENTENCE.test(text);
}

/** Nothing in it is for a reader: imports, keys of messages, types, comparisons, errors for programmers. */
function isMachines(node: ts.Node): boolean {
  if (ts.isImportDeclaration(node) || ts.isTypeNode(node)) return true;
  if (ts.isCallExpression(node) && SPEAKERS.includes(node.expression.getText())) return true;
  if (ts.isNewExpression(node) && /Error$/.test(node.expression.getText())) return true;
  if (ts.isBinaryExpression(node) && /^[!=]==$/.test(node.operatorToken.getText())) return true;
  return ts.isJsxAttribute(node) && WORDLESS.includes(node.name.getText());
}

function textOf(node: ts.Node): string | undefined {
  if (ts.isJsxText(node) || ts.isStringLiteralLike(node)) return node.text;
  return ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node)
    ? node.text
    : undefined;
}

/** Between tags, or in an attribute that people read or hear: there even one small word is one too many. */
function isShown(node: ts.Node): boolean {
  if (ts.isJsxText(node)) return true;
  for (let up = node.parent; up !== undefined; up = up.parent) {
    if (ts.isJsxAttribute(up))
      return /^(title|label|note|lead|words|placeholder|alt|aria-(label|description|valuetext|roledescription))$/.test(
        up.name.getText(),
      );
    if (ts.isJsxExpression(up) && !ts.isJsxAttribute(up.parent)) return true;
    if (ts.isCallExpression(up) || ts.isFunctionLike(up)) return false;
  }
  return false;
}

function wrongValues(source: ts.SourceFile): string[] {
  const found: string[] = [];
  const compare = (node: ts.Node, keys: readonly string[], given: readonly string[]): void => {
    for (const key of keys) {
      const wanted = placesIn(MESSAGES[key] ?? MESSAGES[`${key}__other`]);
      if (wanted.join() !== [...given].sort().join()) found.push(at(node, `${key}: ${given} for ${wanted}`));
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && SPEAKERS.includes(node.expression.getText())) {
      const isCount = node.expression.getText() === "tCount";
      const [key, ...rest] = node.arguments;
      const values = isCount ? rest[1] : rest[0];
      // One that is made elsewhere shows a place in braces, which the tests in the browsers see.
      if (key && (values === undefined || ts.isObjectLiteralExpression(values)))
        compare(node, literals(key), [...(isCount ? ["count"] : []), ...(values ? namesIn(values) : [])]);
    }
    if (ts.isJsxSelfClosingElement(node) && node.tagName.getText() === "Words") {
      const attributes = node.attributes.properties.filter((attribute) => ts.isJsxAttribute(attribute));
      const [of, others] = [
        attributes.filter(({ name }) => name.getText() === "of"),
        attributes.filter(({ name }) => name.getText() !== "of"),
      ];
      compare(
        node,
        of.flatMap(literals),
        others.map(({ name }) => name.getText()),
      );
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** `t(`popup_parts_${part}`)` says every message that begins so; the compiler sees to it that they are there. */
function beginningsOfKeys(node: ts.Node): string[] {
  const own =
    ts.isTemplateExpression(node) &&
    ts.isCallExpression(node.parent) &&
    SPEAKERS.includes(node.parent.expression.getText())
      ? [node.head.text]
      : [];
  const below: string[] = [];
  ts.forEachChild(node, (child) => void below.push(...beginningsOfKeys(child)));
  return [...own, ...below].filter((beginning) => beginning !== "");
}

function plainMoney(source: ts.SourceFile): string[] {
  return source.statements
    .filter((statement) => ts.isImportDeclaration(statement))
    .filter(({ moduleSpecifier }) => moduleSpecifier.getText().includes("../../../shared/money.ts"))
    .flatMap((statement) =>
      (statement.importClause?.getText() ?? "")
        .split(/\W+/)
        .filter((name) => PLAIN_MONEY.includes(name))
        .map((name) => at(statement, name)),
    );
}

/** Every string in it; of a condition only what it may come to. */
function literals(node: ts.Node): string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  const parts: string[] = [];
  ts.forEachChild(node, (child) => {
    if (!(ts.isConditionalExpression(node) && child === node.condition)) parts.push(...literals(child));
  });
  return parts;
}

function namesIn(values: ts.ObjectLiteralExpression): string[] {
  return values.properties.map((property) => property.name?.getText() ?? "");
}

function placesIn(entry: { readonly message: string } | undefined): string[] {
  return [...new Set((entry?.message ?? "").match(/(?<=\{)\w+(?=\})/g))].sort();
}

function at(node: ts.Node, words: string): string {
  const source = node.getSourceFile();
  const { line } = source.getLineAndCharacterOfPosition(node.getStart());
  return `${source.fileName}:${line + 1} ${words.trim()}`;
}
