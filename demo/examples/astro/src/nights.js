/** Every night that was written down, the newest first. */
export const nights = Object.values(import.meta.glob("./pages/nights/*.md", { eager: true })).sort((a, b) =>
  b.frontmatter.date.localeCompare(a.frontmatter.date),
);
