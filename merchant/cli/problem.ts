/** What the person who runs the command can mend. Its message is a sentence for them; anything else that is thrown is a bug. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
