/** Top-ups: money into an account through a gateway. */
export {
  chargeBackTopUp,
  confirmTopUp,
  finalizeTopUps,
  finalizeTopUpsOf,
  gatewayAccount,
  writeOff,
} from "./confirm.ts";

export { hadTopUp } from "./had-top-up.ts";
export { registerTopUps } from "./routes.ts";
export { endTopUp, findTopUp, type TopUp } from "./store.ts";
