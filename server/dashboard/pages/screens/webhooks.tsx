import { useState } from "preact/hooks";
import {
  WEBHOOK_EVENT_TYPES,
  type Webhook,
  type WebhookEventType,
  WebhookList,
  WebhookMade,
} from "../../../../shared/protocol/webhooks.ts";
import { call } from "../api.ts";
import { useLoaded } from "../load.ts";
import { Button } from "../parts/button.tsx";
import { Copy } from "../parts/copy.tsx";
import { Field } from "../parts/field.tsx";
import { Failure, Notice } from "../parts/notice.tsx";
import { WebhookCard } from "../webhooks/card.tsx";

const WORDS: Readonly<Record<WebhookEventType, string>> = {
  "payment.paid": "A reader paid",
  "payment.refunded": "A reader took the money back",
  "settlement.created": "A settlement, with its payout",
};

export function WebhooksScreen({ merchant }: { readonly merchant: string }) {
  const path = `/api/merchants/${merchant}/webhooks`;
  const [loaded, reload] = useLoaded(path, () => call("GET", path, WebhookList));
  const [secret, setSecret] = useState<{ readonly url: string; readonly secret: string }>();
  const tell = async ({ webhook, secret: word }: { readonly webhook: Webhook; readonly secret: string }) => {
    setSecret({ url: webhook.url, secret: word });
    await reload();
  };
  return (
    <>
      <header class="screen-head">
        <h1>Webhooks</h1>
        <p class="soft">
          Your own programs are told of payments as they happen, by the Standard Webhooks specification:
          signed, in order for each payment, and again until they answer.
        </p>
      </header>
      {secret ? (
        <Notice title="The secret that signs">
          <p>
            It is shown only now. Give it to the program at <span class="foreign">{secret.url}</span>.
          </p>
          <Copy label="Secret" text={secret.secret} />
        </Notice>
      ) : null}
      <NewWebhook onMake={async (request) => tell(await call("POST", path, WebhookMade, request))} />
      {loaded.state === "failed" ? <Failure error={loaded.error} onRetry={reload} /> : null}
      {loaded.state === "ready" && loaded.value.webhooks.length > 0 ? (
        <ul class="stack">
          {loaded.value.webhooks.map((webhook) => (
            <WebhookCard
              key={webhook.id}
              path={`${path}/${webhook.id}`}
              webhook={webhook}
              onChanged={reload}
              onSecret={tell}
            />
          ))}
        </ul>
      ) : null}
    </>
  );
}

interface NewWebhookProps {
  readonly onMake: (request: {
    readonly url: string;
    readonly events: readonly WebhookEventType[];
  }) => Promise<void>;
}

function NewWebhook({ onMake }: NewWebhookProps) {
  const [url, setUrl] = useState("");
  const [events, setEvents] = useState<readonly WebhookEventType[]>(WEBHOOK_EVENT_TYPES);
  const [error, setError] = useState<unknown>();
  return (
    <form class="card form">
      <h2>New webhook</h2>
      <Field
        label="Address of your program"
        value={url}
        onInput={setUrl}
        placeholder="https://paper.example/hooks/tuppence"
      />
      <fieldset class="scopes">
        <legend>It is told</legend>
        {WEBHOOK_EVENT_TYPES.map((type) => (
          <label class="check" key={type}>
            <input
              type="checkbox"
              checked={events.includes(type)}
              onChange={({ currentTarget }) =>
                setEvents(
                  currentTarget.checked ? [...events, type] : events.filter((other) => other !== type),
                )
              }
            />
            <span>
              {WORDS[type]} <code class="soft small">{type}</code>
            </span>
          </label>
        ))}
      </fieldset>
      <Failure error={error} />
      <div>
        <Button
          submit
          disabled={!URL.canParse(url.trim()) || events.length === 0}
          onError={setError}
          onPress={async () => {
            setError(undefined);
            await onMake({ url: url.trim(), events });
            setUrl("");
          }}
        >
          Add
        </Button>
      </div>
    </form>
  );
}
