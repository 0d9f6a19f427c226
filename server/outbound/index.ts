/** Requests of the provider to addresses that somebody else named: a merchant's site, a webhook's endpoint. */
export {
  checkOutbound,
  OutboundError,
  type OutboundRequest,
  type OutboundResponse,
  sendOutbound,
} from "./send.ts";
