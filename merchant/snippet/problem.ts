/**
 * What goes wrong in the page itself, in the words of `shared/errors.ts`. They are repeated here because that map
 * weighs as much as the whole snippet; `problem.test.ts` holds the two together.
 */
import type { ErrorCode } from "../../shared/errors.ts";

export const WORDS = {
  message_invalid:
    "The page sent something that is not a request. You were not charged. The site has to mend this; there is nothing for you to do.",
  offer_invalid:
    "The site's offer cannot be read. You were not charged. The site has to mend this; there is nothing for you to do.",
  approval_expired: "The question was open for too long. You were not charged. Click again to pay.",
  content_unreadable:
    "The article could not be opened. Your payment comes back by itself. The site has to mend this; there is nothing for you to do.",
  site_failed:
    "The site did not hand over the article. Your wallet asks what became of the payment: what the site did not take comes back by itself. Try again in a moment; you are not charged twice.",
} as const satisfies Partial<Record<ErrorCode, string>>;

export class Problem extends Error {
  readonly code: string;

  /** @param message the wallet's own words, where the problem is the wallet's */
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export function problem(code: keyof typeof WORDS): Problem {
  return new Problem(code, WORDS[code]);
}
