/** Reads the paper's stories from `articles/`: a head of `name: value` lines, an empty line, the text. */
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import * as v from "valibot";
import { ART_NAMES } from "./art.ts";

const ARTICLES = join(import.meta.dirname, "articles");

const Story = v.object({
  slug: v.string(),
  title: v.string(),
  standfirst: v.string(),
  section: v.string(),
  price: v.string(),
  minutes: v.string(),
  art: v.picklist(ART_NAMES),
  order: v.pipe(v.string(), v.transform(Number), v.integer()),
  /** The back end hands this one out, against HTTP 402; the others are sealed. */
  served: v.optional(
    v.pipe(
      v.string(),
      v.transform((text) => text === "yes"),
    ),
    "no",
  ),
  /** HTML with the marks of `seal`. */
  body: v.string(),
});
export type Story = v.InferOutput<typeof Story>;

/** In the order of the front page. */
export async function readStories(): Promise<Story[]> {
  const files = (await readdir(ARTICLES)).filter((file) => file.endsWith(".html"));
  const stories = await Promise.all(
    files.map(async (file) =>
      parseStory(basename(file, ".html"), await readFile(join(ARTICLES, file), "utf8")),
    ),
  );
  return stories.sort((a, b) => a.order - b.order);
}

function parseStory(slug: string, text: string): Story {
  const end = text.indexOf("\n\n");
  const head = text
    .slice(0, end)
    .split("\n")
    .map((line) => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)];
    });
  return v.parse(Story, { ...Object.fromEntries(head), slug, body: text.slice(end).trim() });
}

const PAID = /<!-- tuppence:paid -->([\s\S]*)<!-- \/tuppence:paid -->/;

/** The paid part of a story that the back end hands out. */
export function paidPart(story: Story): string {
  return PAID.exec(story.body)?.[1]?.trim() ?? "";
}

/** The story with something else in the place of its paid part. */
export function replacePaidPart(story: Story, replacement: string): string {
  return story.body.replace(PAID, () => replacement);
}
