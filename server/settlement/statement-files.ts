/** Statements as files, CSV and JSON, of one reading of the ledger. */
import { randomUUID } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { settlementId } from "../../shared/statement.ts";
import type { SettlementDeps } from "./settle.ts";
import { readStatement } from "./statement.ts";
import { STATEMENT_CSV, STATEMENT_JSON, type StatementFormat } from "./statement-formats.ts";
import { type SignedStatement, type StatementDeps, signStatement } from "./statement-root.ts";

const FORMATS: readonly (readonly [string, StatementFormat])[] = [
  ["csv", STATEMENT_CSV],
  ["json", STATEMENT_JSON],
];
/** Below it, writing costs more than what is written. */
const PIECE_CHARACTERS = 65_536;
const UNFINISHED = ".unfinished";
const ABANDONED_AFTER_MS = 3_600_000;

/** Of every settlement that has none yet, the ones that the server made by its schedule included. Answers their paths. */
export async function writeMissingStatements(
  deps: StatementDeps & Pick<SettlementDeps, "merchants">,
  folder: string,
): Promise<string[]> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  removeAbandoned(folder);
  const written: string[] = [];
  for (const merchant of await deps.merchants.list()) {
    for (let number = 1; ; number++) {
      const path = join(folder, settlementId(merchant.id, number));
      if (FORMATS.every(([extension]) => existsSync(`${path}.${extension}`))) continue;
      const statement = await readStatement(deps.ledger, merchant, number);
      if (!statement) break;
      await writeStatement(await signStatement(deps, statement), path);
      written.push(...FORMATS.map(([extension]) => `${path}.${extension}`));
    }
  }
  return written;
}

/** What a process that died did not finish. Another may be at its own right now. */
function removeAbandoned(folder: string): void {
  for (const name of readdirSync(folder).filter((file) => file.endsWith(UNFINISHED))) {
    const path = join(folder, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > ABANDONED_AFTER_MS) rmSync(path, { force: true });
  }
}

/**
 * A file has its name only when it is whole: one that was cut off is written again. Of two processes that write the same
 * one each has its own until then, and both come to the same.
 */
async function writeStatement(statement: SignedStatement, path: string): Promise<void> {
  const files = FORMATS.map(([extension, format]) => openFile(`${path}.${extension}`, format, statement));
  try {
    let index = 0;
    for await (const line of statement.lines()) {
      for (const { format, write } of files) write(format.line(statement, line, index));
      index += 1;
    }
  } catch (error) {
    for (const { close } of files) close();
    throw error;
  }
  for (const { finish } of files) finish();
}

function openFile(path: string, format: StatementFormat, statement: SignedStatement) {
  const unfinished = `${path}.${randomUUID()}${UNFINISHED}`;
  const file = openSync(unfinished, "w", 0o600);
  let piece = format.head(statement);
  const close = (): void => closeSync(file);
  return {
    format,
    write(text: string): void {
      piece += text;
      if (piece.length < PIECE_CHARACTERS) return;
      writeSync(file, piece);
      piece = "";
    },
    finish(): void {
      writeSync(file, piece + format.end(statement));
      close();
      renameSync(unfinished, path);
    },
    close,
  };
}
