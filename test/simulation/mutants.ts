/**
 * What the simulation must notice: the product's source with one mistake in it, made while the module is loaded
 * (`hooks.ts`). `seed` is where it was found last, by `npm run simulate -- --mutants`.
 */
export interface Mutant {
  readonly name: string;
  /** What goes wrong with money. */
  readonly why: string;
  readonly seed: number;
  readonly edits: readonly Edit[];
}

export interface Edit {
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly from: string;
  readonly to: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "send before store",
    why: "A wallet that dies after sending has neither its coins nor a payment to ask for.",
    seed: 0,
    edits: [{ file: "wallet/core/reserve.ts", from: "    tables.payments.put(row),\n", to: "" }],
  },
  {
    name: "swap before store",
    why: "The answer of a swap that nobody remembers is lost, and the coins with it.",
    seed: 1,
    edits: [{ file: "wallet/core/swaps.ts", from: "    await tables.swaps.put(swap);\n", to: "" }],
  },
  {
    name: "release on time-out",
    why: "Coins that may have been paid are free again: the reader pays with spent ones, or has article and money.",
    seed: 3,
    edits: [
      {
        file: "wallet/core/payments.ts",
        from: ": staysUnknown(context, payment, asTuppenceError(error));\n  }",
        to: ': fail(context, payment, "provider_unreachable");\n  }',
      },
    ],
  },
  {
    name: "give up without a swap",
    why: "Bytes that arrive after the wallet gave up still spend the coins that it counts as free.",
    seed: 11,
    edits: [{ file: "wallet/core/payments.ts", from: "    await swapBack(context, cancelling);\n", to: "" }],
  },
  {
    name: "sign before commit",
    why: "A provider that dies in between has given coins away for nothing.",
    seed: 0,
    edits: [
      {
        file: "server/mint/withdraw.ts",
        from: "  const outcome = await ledger.apply({\n    id,\n    fingerprint,",
        to: "  await mint.sign(outputs);\n  const outcome = await ledger.apply({\n    id,\n    fingerprint,",
      },
    ],
  },
  {
    name: "change outside the group",
    why: "A provider that dies in between has taken the change.",
    seed: 20,
    edits: [
      {
        file: "server/payments/settle.ts",
        from: "  const { group, contentKey } = await judgePayment(deps, opened);\n  const outcome = await deps.ledger.apply(group);\n",
        to: `  const { group, contentKey } = await judgePayment(deps, opened);
  const change = group.transfers.filter(({ code }) => code === "change");
  const outcome = await deps.ledger.apply({ ...group, transfers: group.transfers.filter(({ code }) => code !== "change") });
  for (const transfer of change)
    await deps.ledger.apply({ id: transfer.id, fingerprint: "change", transfers: [transfer], records: [] });
`,
      },
    ],
  },
  {
    name: "check the budget, then reserve",
    why: "Two payments at once both find the budget unspent.",
    seed: 125,
    edits: [
      {
        file: "wallet/core/paying.ts",
        from: "      const approvalId = newId(context);\n      const admission",
        to: "      const approvalId = newId(context);\n      const seen = await context.store.read((tables) => standingAt(tables, asked.order.origin, context.nowMs()));\n      const admission",
      },
      {
        file: "wallet/core/paying.ts",
        from: "admitWithin(tables, context, asked, attempt, approvalId),",
        to: "admitWithin(tables, context, asked, attempt, approvalId, seen),",
      },
      {
        file: "wallet/core/paying.ts",
        from: "  approvalId: string,\n): Promise<Attempted<Admission>> {",
        to: "  approvalId: string,\n  seen: Awaited<ReturnType<typeof standingAt>>,\n): Promise<Attempted<Admission>> {",
      },
      {
        file: "wallet/core/paying.ts",
        from: "    standingAt(tables, order.origin, nowMs),\n  ]);",
        to: "    seen,\n  ]);",
      },
    ],
  },
  {
    name: "budget given back twice",
    why: "After a refund the site may spend more than the reader allowed.",
    seed: 1,
    edits: [
      {
        file: "wallet/core/refunds.ts",
        from: "        await giveBudgetBack(tables, row);\n",
        to: "        await giveBudgetBack(tables, row);\n        await giveBudgetBack(tables, row);\n",
      },
    ],
  },
  {
    name: "coin ids of the payment's own",
    why: "The ledger no longer notices that a coin is spent twice, by a payment and by a swap.",
    seed: 11,
    edits: [
      {
        file: "server/payments/judge.ts",
        from: "    id: coin.transferId,",
        to: '    id: deriveId("coin of a payment", coin.transferId, paymentId),',
      },
    ],
  },
  {
    name: "another payment id on retry",
    why: "A request that is repeated, because the worker died, is paid for again.",
    seed: 10,
    edits: [
      {
        file: "wallet/core/paying.ts",
        from: '    if (again) return { done: { kind: "known", payment: again } };\n',
        to: "",
      },
      { file: "wallet/core/paying.ts", from: " ?? payments.find(isOpen);", to: ";" },
    ],
  },
  {
    name: "receipt stored, coins removed later",
    why: "A wallet that dies in between keeps coins that are spent.",
    seed: 12,
    edits: [
      {
        file: "wallet/core/payments.ts",
        from: "      await tables.coins.removeAll(kept.coinSecrets);\n",
        to: "",
      },
      {
        file: "wallet/core/payments.ts",
        from: "  return row;\n}\n\n/** Not paid, and never will be",
        to: "  await context.store.transaction((tables) => tables.coins.removeAll(row.coinSecrets));\n  return row;\n}\n\n/** Not paid, and never will be",
      },
    ],
  },
  {
    name: "numbers taken and not counted",
    why: "Two swaps ask for signatures on the same blank coins: one of them gets nothing for its money.",
    seed: 0,
    edits: [
      {
        file: "wallet/core/context.ts",
        from: "  await tables.counters.put({ key, next: first + count });\n",
        to: "",
      },
    ],
  },
  {
    name: "refund without looking at the closing",
    why: "A refund that meets a settlement is paid by the provider: the payout has left already.",
    seed: 46,
    edits: [
      {
        file: "server/payments/refund.ts",
        from: '    guards: [{ kind: "absent", key: closingKey(record.merchant, nextClosing) }, ...limit.guards],\n',
        to: "    guards: [...limit.guards],\n",
      },
    ],
  },
  {
    name: "settle without a closing",
    why: "Refunds go on while the sums are made, and two operators add up differently.",
    seed: 0,
    edits: [
      {
        file: "server/settlement/settle.ts",
        from: "  return commitClosing(deps.ledger, merchant.id, (before?.number ?? 0) + 1, {\n",
        to: "  return Promise.resolve({ number: (before?.number ?? 0) + 1,\n",
      },
    ],
  },
  {
    name: "a webhook a top-up",
    why: "A gateway that tells twice has paid twice.",
    seed: 5,
    edits: [
      {
        file: "server/topups/confirm.ts",
        from: '    id: deriveId("top-up", id),',
        to: '    id: deriveId("top-up", id, String(deps.now())),',
      },
      {
        file: "server/topups/confirm.ts",
        from: '        id: deriveId("top-up transfer", id),',
        to: '        id: deriveId("top-up transfer", id, String(deps.now())),',
      },
      {
        file: "server/topups/confirm.ts",
        from: '        id: deriveId("top-up provisional", id),',
        to: '        id: deriveId("top-up provisional", id, String(deps.now())),',
      },
      {
        file: "server/topups/confirm.ts",
        from: '        id: deriveId("top-up day", id),',
        to: '        id: deriveId("top-up day", id, String(deps.now())),',
      },
      {
        file: "server/topups/confirm.ts",
        from: "records: [{ key: paidKey(id), value: writePaidRecord({ account: accountId, amount, finalAt }) }],",
        to: 'records: topUp.state === "paid" ? [] : [{ key: paidKey(id), value: writePaidRecord({ account: accountId, amount, finalAt }) }],',
      },
    ],
  },
  {
    name: "a seal that binds no offer",
    why: "Whoever carries a sealed payment takes it for another merchant.",
    seed: 18,
    edits: [
      {
        file: "shared/hpke.ts",
        from: "  return canonicalJson({ accepted, resource: resourceUrl, expiresAt });",
        to: "  return canonicalJson({ resource: resourceUrl, expiresAt });",
      },
    ],
  },
  {
    name: "half a split",
    why: "Fee and what stays no longer add up to the amount.",
    seed: 12,
    edits: [{ file: "shared/money.ts", from: "    parts[index] = (parts[index] ?? 0n) + 1n;\n", to: "" }],
  },
];
