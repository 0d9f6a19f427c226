/** The parts, each a process. The first ones take longest. */
import type { Part } from "./target.ts";

const isCoins = (route: string) => route.includes(" /v1/");

export const PARTS: Readonly<
  Record<string, { readonly weight: number; readonly open: () => Promise<Part> }>
> = {
  provider: {
    weight: 40,
    open: async () => (await import("./provider/part.ts")).openEndpoints((route) => !isCoins(route)),
  },
  pages: {
    weight: 20,
    open: async () => {
      (await import("./pages/hooks.ts")).installFakePlatform();
      return (await import("./pages/part.ts")).openPages();
    },
  },
  decoders: { weight: 15, open: async () => (await import("./decoders/part.ts")).openDecoders() },
  sockets: { weight: 5, open: async () => (await import("./sockets.ts")).openSockets() },
  coins: { weight: 30, open: async () => (await import("./provider/part.ts")).openEndpoints(isCoins) },
};
