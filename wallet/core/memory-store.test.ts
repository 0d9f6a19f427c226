import { createMemoryStore } from "./memory-store.ts";
import { conformsAsStore } from "./store-conformance.ts";

conformsAsStore("the store in memory", createMemoryStore);
