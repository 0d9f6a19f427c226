/** What the build puts into the code (Vite replaces `import.meta.env.<name>`). */
interface ImportMeta {
  readonly env: { readonly VITE_TUPPENCE_PROVIDER?: string };
}
