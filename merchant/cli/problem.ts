/** What the person who runs the command can mend. Its message is a sentence for them; anything else that is thrown is a bug. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** What the command ends with. */
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
