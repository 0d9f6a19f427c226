/** A provider, a funded wallet, and the doctor at a site of the test's own: what its tests share. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RequestHandler } from "express";
import * as v from "valibot";
import { afterAll, afterEach, beforeAll } from "vitest";
import { examine } from "../../merchant/cli/doctor/examine.ts";
import type { FindingCode } from "../../merchant/cli/doctor/findings.ts";
import { DoctorReport } from "../../merchant/cli/doctor/report.ts";
import { LIMITS } from "../../merchant/cli/doctor/requests.ts";
import { readUnverified } from "../../shared/jws.ts";
import { type Micros, micros } from "../../shared/money.ts";
import { Jwks } from "../../shared/protocol/provider.ts";
import { HolderProofClaims, type ReceiptClaims, verifyHolderProof } from "../../shared/receipt.ts";
import { openProgramWallet, type ProgramWallet } from "../../wallet/node/index.ts";
import {
  BUILT,
  type ExaminedSite,
  openExaminedSite,
  PAID,
  type Paper,
  SERVED,
  type SiteBreaks,
} from "../support/examined-site.ts";
import { startTestProvider, type TestProvider } from "./provider.ts";
import { approveTopUp } from "./reader.ts";

const TOP_UP = 20_000_000n;
/** Twice the price, and the smallest coin. */
const ENOUGH = micros(101_000n);
export const TIDES = { path: "/tides.html" };

export interface Visit {
  readonly path?: string;
  readonly pays?: boolean;
  readonly paidText?: string;
  readonly limits?: Partial<typeof LIMITS>;
  readonly aheadMs?: number;
  readonly max?: Micros;
  /** What the provider says of itself, otherwise than it does. */
  readonly provider?: (said: string) => string;
  /** What names lead to. */
  readonly lookup?: (host: string) => string;
}

export interface Clinic {
  provider(): TestProvider;
  walletFile(): string;
  /** For who has the file to itself. */
  closeWallet(): Promise<void>;
  /** Opens a site and examines it. It stays open for `again`, until the test is over. */
  look(breaks: SiteBreaks, visit: Visit): Promise<DoctorReport>;
  again(visit: Visit): Promise<DoctorReport>;
  open(breaks: SiteBreaks): Promise<ExaminedSite>;
}

/** For all tests of the file. */
export function openClinic(): Clinic {
  let provider: TestProvider;
  let folder: string;
  let program: ProgramWallet;
  let site: ExaminedSite | undefined;
  const walletFile = () => join(folder, "wallet");

  beforeAll(async () => {
    provider = await startTestProvider();
    folder = mkdtempSync(join(tmpdir(), "tuppence-doctor-"));
    program = openProgramWallet({
      file: walletFile(),
      provider: provider.origin,
      onFault: (error) => {
        throw error;
      },
    });
    await program.wallet.create({ kind: "ui", type: "createWallet" });
    const { topUpId } = await program.wallet.topUp({ kind: "ui", type: "topUp", amount: micros(TOP_UP) });
    await approveTopUp(provider, topUpId, TOP_UP);
    await program.wallet.refreshTopUps();
  });
  afterEach(async () => {
    await site?.close();
    site = undefined;
  });
  afterAll(async () => {
    await program.close();
    await provider.close();
    rmSync(folder, { recursive: true });
  });

  const open = async (breaks: SiteBreaks) => {
    site = await openExaminedSite(provider, breaks);
    return site;
  };
  const again: Clinic["again"] = async (visit) => {
    const { path = "/one.html", pays, paidText, limits, aheadMs = 0, max = ENOUGH, lookup } = visit;
    const { provider: said } = visit;
    if (!site) throw new Error("no site is open");
    const { fetch: send } = site;
    const report = await examine(new URL(path, site.origin), {
      fetch: async (input, init) => {
        const answer = await send(input, init);
        if (!said || !answer.url.endsWith("/.well-known/tuppence.json")) return answer;
        return new Response(said(await answer.text()), answer);
      },
      // Names of a test's own are everyone's; numbers need no looking up.
      lookup: async (host) => [{ address: lookup?.(host) ?? "93.184.216.34", family: 4 }],
      now: () => Date.now() + aheadMs,
      limits: { ...LIMITS, ...limits },
      built: BUILT,
      purse: pays ? { program, max } : undefined,
      paidText,
    });
    return v.parse(DoctorReport, JSON.parse(JSON.stringify(report)));
  };
  return {
    provider: () => provider,
    walletFile,
    closeWallet: () => program.close(),
    open,
    again,
    look: async (breaks, visit) => {
      await open(breaks);
      return again(visit);
    },
  };
}

export function codesOf({ findings }: DoctorReport): FindingCode[] {
  return [...new Set(findings.map(({ code }) => code))].sort();
}

/** What the site does at this path before anything else. */
export function before(path: string, does: RequestHandler): NonNullable<SiteBreaks["between"]> {
  return () => (request, response, next) => (request.path === path ? does(request, response, next) : next());
}

/** Hands over what is paid for. */
export const hand: RequestHandler = (_request, response) => {
  response.set("cache-control", "private, no-store").type("html").send(`<p>${PAID}</p>`);
};

/** A back end that lets in whoever shows a receipt of which it believes this much. */
export function believes(
  isGood: (receipt: string, proof: string, paper: Paper) => Promise<boolean>,
): SiteBreaks & Visit {
  return {
    between: (paper) => (request, response, next) => {
      const [receipt, proof = ""] = request.get("payment-receipt")?.split("~") ?? [];
      if (request.path !== SERVED || receipt === undefined) return next();
      isGood(receipt, proof, paper).then((good) => (good ? hand(request, response, next) : next()), next);
    },
    ...TIDES,
  };
}

export async function keysOf(paper: Paper): Promise<Jwks> {
  return v.parse(Jwks, await (await fetch(`${paper.provider}/.well-known/jwks.json`)).json());
}

export function expectationOf({ origin, provider: issuer, merchant }: Paper) {
  return { issuer, merchant, resource: origin + SERVED, leastAmount: micros(50_000n) };
}

/** Whoever sends it has the key that the receipt names; when it was asked for is not looked at. */
export async function isHeld(claims: ReceiptClaims, proof: string): Promise<boolean> {
  const challenge = readUnverified(proof, HolderProofClaims)?.challenge ?? "";
  const { origin } = new URL(claims.resource);
  return verifyHolderProof(proof, claims, { origin, challenge, nowSeconds: Math.floor(Date.now() / 1_000) });
}
