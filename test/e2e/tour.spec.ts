import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { tour } from "../../scripts/tour.ts";
import { formatMoney } from "../../shared/money.ts";
import { expect, test } from "../support/extension.ts";
import { startWorld } from "../support/world.ts";

/** Long enough to read the statement of; the tour waits for it. */
const REFUND_WINDOW_SECONDS = 15;

test("the whole loop: top up, read, tip, come back, settle, and not a micro is missing", async () => {
  test.setTimeout(180_000);
  const world = await startWorld({ refundWindowSeconds: REFUND_WINDOW_SECONDS });
  try {
    const picturesFolder = test.info().outputPath("pictures");
    const result = await tour({ world, picturesFolder, print: console.log });
    expect(formatMoney(result.toppedUp)).toBe("$5.00");
    // 5¢ and 2¢ sealed, 5¢ behind a back end, a tip of 20¢.
    expect(formatMoney(result.paid)).toBe("32¢");
    expect(result.receiptVerified).toBe(true);
    // Less a fee of 10 %, rounded down to cents; the rest is carried forward.
    expect(formatMoney(result.settled.payout)).toBe("28¢");
    expect(pixelsOf(picturesFolder, "approval.png"), "the window as the reader sees it").toEqual([420, 600]);
  } finally {
    await world.close();
  }
});

/** Width and height stand at a fixed place of every PNG. */
function pixelsOf(folder: string, name: string): number[] {
  const file = readdirSync(folder).find((candidate) => candidate.endsWith(name)) ?? "";
  const bytes = readFileSync(join(folder, file));
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}
