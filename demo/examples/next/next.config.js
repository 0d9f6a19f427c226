import { join } from "node:path";

/** @type {import("next").NextConfig} */
export default {
  // In a checkout of this project the back-end library is four folders up, and Turbopack reads nothing outside of its root.
  turbopack: { root: join(import.meta.dirname, "../../..") },
  poweredByHeader: false,
};
