/** Gateways: where money comes in. One file for each. */
export { applyGatewayEvent, signGatewayEvent } from "./events.ts";
export { registerGateways } from "./routes.ts";
