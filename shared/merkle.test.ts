import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "./bytes.ts";
import { buildTree, inclusionProof, leafHash, rootByProof, treeLevels } from "./merkle.ts";

/** The leaves and roots that implementations of Certificate Transparency are checked with: of the first 0 to 8 of them. */
const LEAVES = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const hashes = LEAVES.map((leaf) => leafHash(fromHex(leaf)));

function rootOf(leaves: readonly Uint8Array[]): string {
  const tree = buildTree();
  for (const hash of leaves) tree.add(hash);
  return toHex(tree.root().root);
}

describe("the root", () => {
  it("is that of RFC 9162, whatever the number of leaves", () => {
    expect(ROOTS.map((_, size) => rootOf(hashes.slice(0, size)))).toEqual(ROOTS);
  });
});

describe("a proof", () => {
  const many = Array.from({ length: 70 }, (_, index) => leafHash(new Uint8Array([index])));

  it("leads from each leaf of each tree to the root, and to no root from any other place", () => {
    for (let size = 1; size <= many.length; size++) {
      const leaves = many.slice(0, size);
      const root = rootOf(leaves);
      for (const [index, hash] of leaves.entries()) {
        const proof = inclusionProof(treeLevels(leaves), index);
        const found = (place: number, of = hash) => {
          const end = rootByProof(of, { index: place, size, proof });
          return end && toHex(end);
        };
        expect(found(index), `${index} of ${size}`).toBe(root);
        if (size > 1) expect(found((index + 1) % size)).not.toBe(root);
        expect(found(index, leafHash(new Uint8Array([255])))).not.toBe(root);
      }
    }
  });

  it("that was cut, lengthened or put elsewhere leads nowhere", () => {
    const leaves = many.slice(0, 11);
    const [hash = new Uint8Array()] = leaves;
    const proof = inclusionProof(treeLevels(leaves), 0);
    for (const given of [proof.slice(1), proof.slice(0, -1), [...proof, hash]])
      expect(rootByProof(hash, { index: 0, size: 11, proof: given })).toBeUndefined();
    for (const [index, size] of [
      [11, 11],
      [-1, 11],
      [0.5, 11],
      [0, 0],
    ] as const)
      expect(rootByProof(hash, { index, size, proof })).toBeUndefined();
  });
});
