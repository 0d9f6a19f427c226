/** A settlement as it is committed, under `settlement:<merchant>:<n>`: sums only, its lines stand in the ledger. */
import * as v from "valibot";
import { Settlement, settlementJson } from "../../shared/statement.ts";
import type { Ledger } from "../ledger/ledger.ts";

export const settlementKey = (merchant: string, number: number): string => `settlement:${merchant}:${number}`;

export function parseSettlementId(
  id: string,
): { readonly merchant: string; readonly number: number } | undefined {
  const [, merchant, number] = /^([a-z0-9][a-z0-9-]{1,39})-([1-9][0-9]{0,6})$/.exec(id) ?? [];
  return merchant === undefined || number === undefined ? undefined : { merchant, number: Number(number) };
}

export function encodeSettlement(settlement: Settlement): string {
  return JSON.stringify(settlementJson(settlement));
}

export function decodeSettlement(value: string): Settlement {
  return v.parse(Settlement, JSON.parse(value));
}

export async function readSettlement(
  ledger: Ledger,
  merchant: string,
  number: number,
): Promise<Settlement | undefined> {
  const value = await ledger.record(settlementKey(merchant, number));
  return value === undefined ? undefined : decodeSettlement(value);
}
