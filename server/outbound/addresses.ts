/** Which addresses of the network are everybody's. */
import ipaddr from "ipaddr.js";

/**
 * Whether an IP address is one of the public internet: not this machine, not the network behind it, not a cloud's own
 * services. An IPv4 address written as IPv6 is judged as what it is. False for what is no address.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  return ipaddr.process(address).range() === "unicast";
}
