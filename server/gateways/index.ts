/** Gateways: where money comes in. One file for each. */
export { applyGatewayEvent, type GatewayEvent, signGatewayEvent } from "./events.ts";
export { registerGateways } from "./routes.ts";
