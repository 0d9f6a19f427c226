/** Which addresses of the network are everybody's. */
import ipaddr from "ipaddr.js";

/**
 * Whether an IP address is one of the public internet: not this machine, not the network behind it, not a cloud's own
 * services. An IPv4 address written as IPv6 is judged as what it is. False for what is no address.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (parsed.range() !== "unicast" || CLOUDS_OWN.includes(address)) return false;
  // Of IPv6, what is given out to anybody (RFC 4291): the rest holds old ways to write an IPv4 address.
  return !(parsed instanceof ipaddr.IPv6) || ((parsed.parts[0] ?? 0) & 0xe000) === 0x2000;
}

/** A cloud's own service at an address of the public kind. */
const CLOUDS_OWN: readonly string[] = ["168.63.129.16"];
