import { useState } from "preact/hooks";
import { Webhook, WebhookEventEntry, WebhookMade } from "../../../../shared/protocol/webhooks.ts";
import { call, Done } from "../api.ts";
import { Button } from "../parts/button.tsx";
import { Failure } from "../parts/notice.tsx";
import { Sure } from "../parts/sure.tsx";
import { day } from "../parts/time.ts";
import { WebhookLog } from "./log.tsx";

export interface WebhookCardProps {
  /** Of this webhook, in the API. */
  readonly path: string;
  readonly webhook: Webhook;
  readonly onChanged: () => Promise<void>;
  readonly onSecret: (made: { readonly webhook: Webhook; readonly secret: string }) => Promise<void>;
}

export function WebhookCard({ path, webhook, onChanged, onSecret }: WebhookCardProps) {
  const [error, setError] = useState<unknown>();
  const [isLogShown, setLogShown] = useState(false);
  /** Makes the log look again. */
  const [sent, setSent] = useState(0);
  const act = (run: () => Promise<unknown>) => async () => {
    setError(undefined);
    await run();
    await onChanged();
  };
  const isEnabled = webhook.disabled === null;
  const logWords = isLogShown ? "Hide the log" : "Log";
  return (
    <li class="card site">
      <div class="site-head">
        <h2 class="foreign">{webhook.url}</h2>
        <StateChip webhook={webhook} />
      </div>
      <p class="soft small">
        {webhook.events.join(", ")} · made {day(webhook.createdAt)} ·{" "}
        {webhook.pendingEvents === 0 ? "nothing waits" : `${webhook.pendingEvents} wait`}
      </p>
      <Failure error={error} />
      <div class="row">
        <Button
          look="quiet"
          label={`Send a test: ${webhook.url}`}
          disabled={!isEnabled}
          onError={setError}
          onPress={act(async () => {
            await call("POST", `${path}/test`, WebhookEventEntry);
            setLogShown(true);
            setSent((before) => before + 1);
          })}
        >
          Send a test
        </Button>
        <Button look="quiet" label={`${logWords}: ${webhook.url}`} onPress={() => setLogShown(!isLogShown)}>
          {logWords}
        </Button>
        <Button
          look="quiet"
          label={`${isEnabled ? "Disable" : "Enable"}: ${webhook.url}`}
          onError={setError}
          onPress={act(() => call("POST", path, Webhook, { enabled: !isEnabled }))}
        >
          {isEnabled ? "Disable" : "Enable"}
        </Button>
        <Sure
          about={webhook.url}
          words="Make a new one"
          consequence="For a day the old secret signs as well, so that you can change it at leisure."
          onError={setError}
          onYes={async () => onSecret(await call("POST", `${path}/secret`, WebhookMade))}
        >
          New secret
        </Sure>
        <Sure
          about={webhook.url}
          words="Remove it"
          consequence="Its log goes with it, and what it was not told yet."
          onError={setError}
          onYes={act(() => call("DELETE", path, Done))}
        >
          Remove
        </Sure>
      </div>
      {isLogShown ? <WebhookLog path={path} sent={sent} about={webhook.url} /> : null}
    </li>
  );
}

const DISABLED: Readonly<Record<NonNullable<Webhook["disabled"]>["reason"], string>> = {
  merchant: "Disabled",
  gone: "Disabled: it answered 410",
  failing: "Disabled: it failed for days",
};

function StateChip({ webhook: { disabled, failingSince } }: { readonly webhook: Webhook }) {
  const [tone, words] = disabled
    ? ["warn", DISABLED[disabled.reason]]
    : failingSince === null
      ? ["good", "Working"]
      : ["warn", `Failing since ${day(failingSince)}`];
  return (
    <span class="chip" data-tone={tone}>
      {words}
    </span>
  );
}
