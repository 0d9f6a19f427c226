/**
 * What a monitoring system is told, in Prometheus' form. Every label is of a closed set (a route's pattern, an error's
 * code, a keyset's public id): no account, payment, coin, merchant, resource or address is one, so that the metrics join
 * no reader to a payment, and their number does not grow with use.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { ERRORS } from "../shared/errors.ts";
import { WEBHOOK_OUTCOMES } from "../shared/protocol/webhooks.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { VERSION } from "./version.ts";

/** From an answer out of memory to the longest that a request may take. */
const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const COMMIT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const BATCH_GROUPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];
/** Accounts of the provider's own, which belong to no reader and no merchant. */
const OWN_ACCOUNT_PREFIXES = ["clearing:", "gateway_clearing", "revenue", "loss", "bank"];

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({
    name: "tuppence_build_info",
    help: "Always 1; the labels say what runs.",
    labelNames: ["version", "node"],
    registers,
  }).set({ version: VERSION, node: process.version }, 1);
  const metrics = {
    registry,
    payments: new Counter({
      name: "tuppence_payments_total",
      help: "Requests to settle a payment: paid, replayed (the same bytes again), failed (no judgement), or the code of the refusal.",
      labelNames: ["outcome"],
      registers,
    }),
    refusals: new Counter({
      name: "tuppence_refusals_total",
      help: "Requests that were refused, by error code; cashu_<number> where only Cashu has a name for it.",
      labelNames: ["code"],
      registers,
    }),
    requestSeconds: new Histogram({
      name: "tuppence_http_request_duration_seconds",
      help: "From a request's head to the end of its answer, by the pattern of its route.",
      labelNames: ["method", "route", "status"],
      buckets: REQUEST_SECONDS,
      registers,
    }),
    ledgerWaiting: new Gauge({
      name: "tuppence_ledger_waiting_groups",
      help: "Groups of transfers that are handed to the ledger and not yet durable or judged.",
      registers,
    }),
    ledgerBatch: new Histogram({
      name: "tuppence_ledger_batch_groups",
      help: "Groups that became durable together.",
      buckets: BATCH_GROUPS,
      registers,
    }),
    ledgerSeconds: new Histogram({
      name: "tuppence_ledger_apply_duration_seconds",
      help: "How long a group waited until it was durable or judged.",
      buckets: COMMIT_SECONDS,
      registers,
    }),
    transfers: new Counter({
      name: "tuppence_ledger_transfers_total",
      help: "Transfers that this process committed, by what they are for.",
      labelNames: ["code"],
      registers,
    }),
    webhookAttempts: new Counter({
      name: "tuppence_webhook_attempts_total",
      help: "Attempts to tell a merchant's endpoint of an event, by how they ended.",
      labelNames: ["outcome"],
      registers,
    }),
    jobs: new Counter({
      name: "tuppence_jobs_total",
      help: "Runs of what happens by itself: settle, finalize, webhooks.",
      labelNames: ["job", "result"],
      registers,
    }),
  };
  // From the start, because the rise of a counter from nothing is none to an alert.
  for (const outcome of ["paid", "replayed", "failed"]) metrics.payments.inc({ outcome }, 0);
  for (const code of Object.keys(ERRORS)) metrics.refusals.inc({ code }, 0);
  for (const outcome of WEBHOOK_OUTCOMES) metrics.webhookAttempts.inc({ outcome }, 0);
  for (const job of ["settle", "finalize", "webhooks"])
    for (const result of ["done", "failed"]) metrics.jobs.inc({ job, result }, 0);
  return metrics;
}

export interface Observed {
  readonly ledger: Pick<Ledger, "balances">;
  readonly mint: { readonly curveQueueLength: () => number };
}

/** What is looked up when the monitoring asks. Only a provider that is asked does this. */
export function observeProvider({ registry }: Metrics, { ledger, mint }: Observed): void {
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: "tuppence_curve_queue_tasks",
    help: "Coins to verify and outputs to sign that wait for a thread.",
    registers: [registry],
    collect() {
      this.set(mint.curveQueueLength());
    },
  });
  new Gauge({
    name: "tuppence_float_micros",
    help: "What readers hold in coins, by keyset.",
    labelNames: ["keyset"],
    registers: [registry],
    async collect() {
      for (const [account, balance] of await ledger.balances("float:"))
        this.set({ keyset: account.slice("float:".length) }, Number(balance));
    },
  });
  new Gauge({
    name: "tuppence_own_balance_micros",
    help: "Balances of the provider's own accounts, credits less debits.",
    labelNames: ["account"],
    registers: [registry],
    async collect() {
      for (const prefix of OWN_ACCOUNT_PREFIXES)
        for (const [account, balance] of await ledger.balances(prefix))
          this.set({ account }, Number(balance));
    },
  });
}

/** The ledger, counted from outside: whichever adapter it is, what settles in one turn was one batch. */
export function measureLedger(ledger: Ledger, metrics: Metrics): Ledger {
  let settledTogether = 0;
  const settled = (): void => {
    metrics.ledgerWaiting.dec();
    settledTogether += 1;
    if (settledTogether > 1) return;
    // After all that the adapter resolved at once has come through here.
    process.nextTick(() => {
      metrics.ledgerBatch.observe(settledTogether);
      settledTogether = 0;
    });
  };
  return {
    ...ledger,
    async apply(group) {
      metrics.ledgerWaiting.inc();
      const stop = metrics.ledgerSeconds.startTimer();
      try {
        const outcome = await ledger.apply(group);
        if (outcome.status === "committed")
          for (const { code } of group.transfers) metrics.transfers.inc({ code });
        return outcome;
      } finally {
        stop();
        settled();
      }
    },
  };
}
