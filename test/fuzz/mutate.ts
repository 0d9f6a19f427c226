/**
 * Mutations of JSON, as data: what fast-check generates, shrinks and prints is the list of changes, never the body, so
 * that a counterexample says what was done to a genuine message. A tree keeps what `JSON.parse` would lose: members that
 * stand twice, `__proto__`, numbers as they are written.
 */
import fc from "fast-check";
import { DEEP, EDITS, KEYS, type Repeated, TEXTS } from "./words.ts";

export type Tree =
  | { readonly kind: "object"; readonly members: [string, Tree][] }
  | { readonly kind: "array"; readonly items: Tree[] }
  | { readonly kind: "text"; text: string };

/** `at` and `from` count the places of the tree, from its root; what is larger starts again. */
export type TreeMutation =
  | { readonly do: "drop"; readonly at: number }
  | { readonly do: "repeat"; readonly at: number; readonly times: number }
  | { readonly do: "rename"; readonly at: number; readonly key: string }
  | { readonly do: "add"; readonly at: number; readonly key: string; readonly value: string | Repeated }
  | { readonly do: "replace"; readonly at: number; readonly value: string | Repeated }
  | { readonly do: "transplant"; readonly at: number; readonly from: number }
  | { readonly do: "edit"; readonly at: number; readonly edit: string; readonly place: number }
  | { readonly do: "nest"; readonly at: number; readonly depth: number; readonly key: string | null };

const MOST_MUTATIONS = 4;
const at = fc.nat({ max: 200 });
const key = fc.constantFrom(...KEYS);
/** Half characters too. */
const character = fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code));
/** JSON as text, often one of those that are known to hurt. */
const value = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...TEXTS) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }).map((some) => JSON.stringify(some)) },
  { weight: 1, arbitrary: fc.string({ unit: character }).map((some) => JSON.stringify(some)) },
);

const mutation: fc.Arbitrary<TreeMutation> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("replace"), at, value }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("edit"),
      at,
      edit: fc.constantFrom(...Object.keys(EDITS)),
      place: fc.nat({ max: 100 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("drop"), at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("transplant"), at, from: at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("rename"), at, key }) },
  // A schema lets members pass that it does not know, and whoever comes after it has to bear them.
  { weight: 2, arbitrary: fc.record({ do: fc.constant("add"), at, key, value }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("add"), at, key, value: fc.constantFrom(...DEEP) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("repeat"), at, times: fc.constantFrom(1, 2, 30, 250) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("nest"),
      at,
      depth: fc.constantFrom(1, 2, 100, 5_000, 12_000, 60_000),
      key: fc.option(key),
    }),
  },
) as fc.Arbitrary<TreeMutation>;

/** One change most often: two hide each other. */
export const treeMutations: fc.Arbitrary<TreeMutation[]> = fc.oneof(
  { weight: 8, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 1 }) },
  { weight: 4, arbitrary: fc.array(mutation, { minLength: 2, maxLength: MOST_MUTATIONS }) },
  { weight: 1, arbitrary: fc.constant<TreeMutation[]>([]) },
);

export function mutateJson(genuine: unknown, mutations: readonly TreeMutation[]): string {
  let root = treeOf(genuine);
  for (const one of mutations) root = apply(root, one);
  return write(root);
}

export function expand(value: string | Repeated): string {
  if (typeof value === "string") return value;
  const { before = "", text, times, after = "", closing = "" } = value;
  return before + text.repeat(times) + after + closing.repeat(times);
}

function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { kind: "array", items: value.map(treeOf) };
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return { kind: "object", members: members.map(([name, member]) => [name, treeOf(member)]) };
  }
  return { kind: "text", text: JSON.stringify(value) ?? "null" };
}

function write(tree: Tree): string {
  switch (tree.kind) {
    case "object":
      return `{${tree.members.map(([name, member]) => `${JSON.stringify(name)}:${write(member)}`).join(",")}}`;
    case "array":
      return `[${tree.items.map(write).join(",")}]`;
    case "text":
      return tree.text;
  }
}

interface Place {
  readonly node: Tree;
  readonly parent: Tree | undefined;
  readonly index: number;
}

function placesOf(node: Tree, parent?: Tree, index = 0): Place[] {
  const inner =
    node.kind === "object"
      ? node.members.flatMap(([, member], position) => placesOf(member, node, position))
      : node.kind === "array"
        ? node.items.flatMap((item, position) => placesOf(item, node, position))
        : [];
  return [{ node, parent, index }, ...inner];
}

function apply(root: Tree, mutation: TreeMutation): Tree {
  const places = placesOf(root);
  const place = places[mutation.at % places.length];
  if (!place) return root;
  const { parent, index, node } = place;
  const put = (next: Tree): Tree => {
    if (parent?.kind === "object") {
      const [name] = parent.members[index] ?? [""];
      parent.members[index] = [name, next];
    } else if (parent?.kind === "array") parent.items[index] = next;
    else return next;
    return root;
  };
  switch (mutation.do) {
    case "replace":
      return put({ kind: "text", text: expand(mutation.value) });
    case "transplant":
      return put(structuredClone(places[mutation.from % places.length]?.node ?? node));
    case "nest": {
      const [open, close] = mutation.key === null ? ["[", "]"] : [`{${JSON.stringify(mutation.key)}:`, "}"];
      return put({
        kind: "text",
        text: `${open.repeat(mutation.depth)}${write(node)}${close.repeat(mutation.depth)}`,
      });
    }
    case "edit": {
      const edit = EDITS[mutation.edit];
      return edit && node.kind === "text"
        ? put({ kind: "text", text: edit(node.text, mutation.place) })
        : root;
    }
    case "drop":
      if (parent?.kind === "object") parent.members.splice(index, 1);
      if (parent?.kind === "array") parent.items.splice(index, 1);
      return parent ? root : { kind: "text", text: "" };
    case "repeat": {
      const copies = Array.from({ length: mutation.times }, () => structuredClone(node));
      if (parent?.kind === "array") parent.items.splice(index, 0, ...copies);
      if (parent?.kind === "object") {
        const [name] = parent.members[index] ?? [""];
        parent.members.push(...copies.map((copy): [string, Tree] => [name, copy]));
      }
      return root;
    }
    case "rename":
      if (parent?.kind === "object") parent.members[index] = [mutation.key, node];
      return root;
    case "add": {
      const added: Tree = { kind: "text", text: expand(mutation.value) };
      if (node.kind === "object") node.members.push([mutation.key, added]);
      if (node.kind === "array") node.items.push(added);
      return root;
    }
  }
}
