import { conformsAsStore } from "../../test/support/store-conformance.ts";
import { createMemoryStore } from "./memory-store.ts";

conformsAsStore("the store in memory", createMemoryStore);
