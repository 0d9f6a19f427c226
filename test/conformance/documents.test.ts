/** What the documents promise: each test that is named is there, under that name, and each permission is explained. */
import { existsSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import messages from "../../extension/_locales/en/messages.json" with { type: "json" };
import manifest from "../../manifest.json" with { type: "json" };
import { FINDINGS } from "../../merchant/cli/doctor/findings.ts";
import { DoctorReport } from "../../merchant/cli/doctor/report.ts";
import { LIMITS } from "../../merchant/cli/doctor/requests.ts";

/** `file › name`, or `› name` of the file that was named last. */
const NAMED_TEST = /`([\w./-]+\.tsx?)? ?› ([^`]+)`/g;

it.each([
  ["docs/THREAT-MODEL.md", 20],
  ["docs/PRIVACY-POLICY.md", 10],
  ["docs/PERMISSIONS.md", 1],
])("%s names no test that is not there", (document, least) => {
  const missing: string[] = [];
  let file = "";
  let count = 0;
  for (const [, named, name = ""] of readFileSync(document, "utf8").matchAll(NAMED_TEST)) {
    file = named ?? file;
    count += 1;
    if (!existsSync(file) || !titleOf(name).test(readFileSync(file, "utf8")))
      missing.push(`${file} › ${name}`);
  }
  expect(missing).toEqual([]);
  expect(count).toBeGreaterThanOrEqual(least);
});

it("explains every permission of the manifest, and none that is not there", () => {
  const { content_scripts, permissions, host_permissions } = manifest;
  // A key of this name would be asked for as well, and nobody would have explained it.
  const others = Object.keys(manifest).filter((key) => /^optional_|^externally_|permissions$/.test(key));
  expect(others.toSorted()).toEqual(["host_permissions", "permissions"]);
  const hosts = (patterns: readonly string[]) => patterns.map((pattern) => `\`${pattern}\``).join(" and ");
  const asked = [
    ...permissions.map((permission) => `\`${permission}\``),
    `${hosts(host_permissions)}, to requests`,
    ...content_scripts.map(({ matches }) => `${hosts(matches)}, the script in pages`),
  ];
  const document = readFileSync("docs/PERMISSIONS.md", "utf8");
  const explained = [...document.matchAll(/^## (`.*)$/gm)].map(([, heading]) => heading);
  expect(explained.toSorted()).toEqual(asked.toSorted());
});

it("says of every permission why, where, for what not, and what would be without it, and names files that are there", () => {
  const sections = readFileSync("docs/PERMISSIONS.md", "utf8")
    .split(/^## /m)
    .filter((text) => text.startsWith("`"));
  for (const section of sections) {
    for (const part of ["Why", "Used in", "Not used for", "Without it"])
      expect(section, section).toContain(`- **${part}:** `);
    const files = [...section.matchAll(/`(extension\/[\w./-]+\.tsx?)`/g)].map(([, file]) => file ?? "");
    expect(files, section).not.toEqual([]);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
  }
});

it("tells the stores what the manifest tells Firefox of the data that are sent", () => {
  const kinds = manifest.browser_specific_settings.gecko.data_collection_permissions.required.map(
    (kind) => `\`${kind}\``,
  );
  const listing = readFileSync("docs/STORE-LISTING.md", "utf8");
  const listed = [...listing.matchAll(/^\| [^|]+\| (`\w+`) +\| yes/gm)].map(([, kind]) => kind);
  expect(listed.toSorted()).toEqual(kinds.toSorted());
  const permissions = readFileSync("docs/PERMISSIONS.md", "utf8");
  expect(kinds.filter((kind) => !permissions.includes(`(${kind})`))).toEqual([]);
});

it("names in the store's listing the same permissions as in the manifest", () => {
  const listing = readFileSync("docs/STORE-LISTING.md", "utf8");
  const justified = [...listing.matchAll(/^\| `(\w+)` +\|/gm)].map(([, permission]) => permission);
  expect(justified.toSorted()).toEqual(manifest.permissions.toSorted());
  expect(manifest.description).toBe("__MSG_extension_description__");
  expect(listing).toContain(messages.extension_description.message);
});

it("lists what the doctor finds, each as the doctor says it", () => {
  const [, table = ""] = readFileSync("docs/DOCTOR.md", "utf8").split("## What it finds");
  const rows = table.split("\n").filter((line) => line.startsWith("| `"));
  const listed = rows.map((row) => row.replaceAll(/ +\|/g, " |"));
  const found = Object.entries(FINDINGS).map(
    ([code, { severity, what, todo }]) => `| \`${code}\` | ${severity} | ${what} | ${todo} |`,
  );
  expect(listed).toEqual(found);
});

it("names what the doctor's report holds, and its limits", () => {
  const document = readFileSync("docs/DOCTOR.md", "utf8");
  const [, fields = ""] = document.split("`--json` prints");
  const named = [...fields.matchAll(/^\| `(\w+)` +\|/gm)].map(([, field]) => field);
  expect(named).toEqual(Object.keys(DoctorReport.entries));
  expect(document).toContain(`at most ${LIMITS.requests} requests`);
  expect(document).toContain(`at most ${LIMITS.bodyBytes / 1_000_000} MB of each answer`);
});

/** `…` stands for what the test's table puts there. */
function titleOf(name: string): RegExp {
  const parts = name.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`["\`]${parts.join(".{1,40}")}["\`]`);
}
