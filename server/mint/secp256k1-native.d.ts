/** The native half of `secp256k1`, which the package itself exchanges in silence for slow JavaScript when it does not load. */
declare module "secp256k1/bindings.js" {
  import type * as secp256k1 from "secp256k1";

  const native: typeof secp256k1;
  export default native;
}
