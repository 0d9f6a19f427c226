import type { SessionPort } from "../../extension/store/index.ts";

/** As the browser's own storage of a session, which lasts until the browser ends. */
export function newSession(): SessionPort {
  const kept = new Map<string, unknown>();
  return { read: async (name) => kept.get(name), write: async (name, value) => void kept.set(name, value) };
}
