/** The wallet of a program: `createPayingFetch(openProgramWallet({ file, provider }), { max })`. */
export { type ReadOffer, readOffer, readOfferHeader } from "./offer.ts";
export {
  AlreadyBoughtError,
  createPayingFetch,
  OtherProviderError,
  PriceTooHighError,
} from "./paying-fetch.ts";
export { openProgramWallet, type ProgramWallet } from "./program.ts";
export { WalletFileError } from "./store.ts";
export { createX402Payer, type X402PayerOptions } from "./x402-client.ts";
