import type { PrivacyEvent } from "../../../../shared/privacy.ts";
import { PrivacyMeter } from "../../shared/privacy-meter.tsx";
import { Section } from "../../shared/section.tsx";
import { type TextKey, t } from "../../shared/text.tsx";

/** In the order in which a reader meets them. */
const EVENTS: readonly (readonly [PrivacyEvent, TextKey])[] = [
  ["top_up", "privacy_event_top_up"],
  ["withdraw", "privacy_event_withdraw"],
  ["payment", "privacy_event_payment"],
  ["coming_back", "privacy_event_coming_back"],
  ["refund", "privacy_event_refund"],
  ["tip", "privacy_event_tip"],
  ["backup", "backup_title"],
  ["restore", "privacy_event_restore"],
  ["leaving", "leave_title"],
];

/** The meter for everything that the wallet does. It knows no reader: the same stands there for all. */
export function Privacy() {
  return (
    <>
      <p class="soft">{t("privacy_note")}</p>
      {EVENTS.map(([event, title]) => (
        <Section key={event} title={t(title)}>
          <div class="card detail">
            <PrivacyMeter event={event} />
          </div>
        </Section>
      ))}
    </>
  );
}
