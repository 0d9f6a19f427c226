export interface Mutant {
  readonly name: string;
  readonly why: string;
  readonly edits: readonly { readonly file: string; readonly changes: readonly { readonly from: string; readonly to: string }[] }[];
}
