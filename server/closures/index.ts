/** The end of an account: all that is in it goes back the way it came, and the wallet's backup is emptied. */
export { registerClosures } from "./routes.ts";
