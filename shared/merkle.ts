/** Merkle trees and inclusion proofs as RFC 9162 (section 2.1) has them, with SHA-256. A hash is 32 bytes. */
import { sha256 } from "@noble/hashes/sha2.js";

/** So that no leaf is ever taken for a node, nor a node for a leaf. */
const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);

export function leafHash(leaf: Uint8Array): Uint8Array {
  return sha256.create().update(LEAF).update(leaf).digest();
}

/** The root over leaves that come one by one, of which nobody holds all. */
export interface TreeBuilder {
  add(hash: Uint8Array): void;
  /** Of the leaves so far. */
  root(): { readonly root: Uint8Array; readonly size: number };
}

export function buildTree(): TreeBuilder {
  let size = 0;
  /** Of whole subtrees, each larger than all that follow it. */
  const subtrees: { readonly hash: Uint8Array; readonly size: number }[] = [];
  return {
    add(hash) {
      size += 1;
      let made = { hash, size: 1 };
      while (subtrees.at(-1)?.size === made.size) {
        const left = subtrees.pop();
        if (left) made = { hash: nodeHash(left.hash, made.hash), size: 2 * made.size };
      }
      subtrees.push(made);
    },
    root() {
      const [last, ...before] = subtrees.toReversed();
      const root = before.reduce(
        (right, left) => nodeHash(left.hash, right),
        last?.hash ?? sha256(new Uint8Array()),
      );
      return { root, size };
    },
  };
}

/**
 * The whole tree, from the leaves to the root, for who makes many proofs: each level has the hashes of the pairs below it, and
 * one that is left over is handed up as it is.
 */
export function treeLevels(leaves: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const levels = [leaves];
  for (let below = leaves; below.length > 1; ) {
    const above: Uint8Array[] = [];
    for (let left = 0; left < below.length; left += 2) {
      const [one, other] = below.slice(left, left + 2);
      if (one) above.push(other ? nodeHash(one, other) : one);
    }
    levels.push(above);
    below = above;
  }
  return levels;
}

/** What stands between this leaf and the root, from the leaf on. */
export function inclusionProof(levels: readonly (readonly Uint8Array[])[], index: number): Uint8Array[] {
  let place = index;
  return levels.flatMap((level) => {
    const beside = level[place % 2 === 0 ? place + 1 : place - 1];
    place = Math.floor(place / 2);
    return beside ? [beside] : [];
  });
}

/** The root that the proof leads to; undefined where it has not the length that this place in such a tree asks for. */
export function rootByProof(
  hash: Uint8Array,
  {
    index,
    size,
    proof,
  }: { readonly index: number; readonly size: number; readonly proof: readonly Uint8Array[] },
): Uint8Array | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size)
    return undefined;
  let place = BigInt(index);
  let last = BigInt(size) - 1n;
  let root = hash;
  for (const beside of proof) {
    if (last === 0n) return undefined;
    if (place % 2n === 1n || place === last) {
      root = nodeHash(beside, root);
      while (place % 2n === 0n && place !== 0n) {
        place >>= 1n;
        last >>= 1n;
      }
    } else root = nodeHash(root, beside);
    place >>= 1n;
    last >>= 1n;
  }
  return last === 0n ? root : undefined;
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256.create().update(NODE).update(left).update(right).digest();
}
