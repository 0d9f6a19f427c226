/** Settling by itself, every so often. One run at a time; a run that fails is told and the next one finishes what it left. */

export interface SettlementSchedule {
  readonly settle: () => Promise<unknown>;
  readonly intervalSeconds: number;
  readonly onError: (error: unknown) => void;
}

/** Returns the function that ends it and waits for a run under way. An interval of 0 means never. */
export function startSettlementSchedule({
  settle,
  intervalSeconds,
  onError,
}: SettlementSchedule): () => Promise<void> {
  if (intervalSeconds === 0) return async () => {};
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= settle()
      .then(() => undefined, onError)
      .finally(() => {
        running = undefined;
      });
  }, intervalSeconds * 1_000);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await running;
  };
}
