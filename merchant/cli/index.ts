/** What a generator of static sites calls at the end of its build. */
export { CommandError } from "./problem.ts";
export { type FolderOptions, sealFolder } from "./seal-folder.ts";
export type { SealedSite } from "./seal-site.ts";
