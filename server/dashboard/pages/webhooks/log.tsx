import { useEffect, useState } from "preact/hooks";
import {
  type WebhookAttempt,
  WebhookEventDetail,
  WebhookEventEntry,
  WebhookEventList,
  type WebhookEventState,
  type WebhookOutcome,
  WebhookReplayed,
} from "../../../../shared/protocol/webhooks.ts";
import { call } from "../api.ts";
import { useLoaded } from "../load.ts";
import { Button } from "../parts/button.tsx";
import { Failure } from "../parts/notice.tsx";
import { moment } from "../parts/time.ts";

const LOOK_AGAIN_MILLISECONDS = 3_000;

export interface WebhookLogProps {
  /** Of the webhook, in the API. */
  readonly path: string;
  /** Another number: look again at once. */
  readonly sent: number;
  /** Whose log it is, for whoever hears it. */
  readonly about: string;
}

/** What an endpoint was told, newest first, and how each attempt ended. Looks again by itself. */
export function WebhookLog({ path, sent, about }: WebhookLogProps) {
  const [state, setState] = useState<WebhookEventState>();
  const [before, setBefore] = useState<string>();
  const [error, setError] = useState<unknown>();
  const query = new URLSearchParams({ ...(state && { state }), ...(before && { before }) });
  const [loaded, reload] = useLoaded(`${path} ${query}`, () =>
    call("GET", `${path}/events?${query}`, WebhookEventList),
  );
  useEffect(() => {
    if (sent > 0) void reload().catch(() => undefined);
    const timer = setInterval(() => void reload().catch(() => undefined), LOOK_AGAIN_MILLISECONDS);
    return () => clearInterval(timer);
  }, [sent, reload]);

  const choose = (chosen: WebhookEventState | undefined) => () => {
    setBefore(undefined);
    setState(chosen);
  };
  return (
    <section class="stack" aria-label={`Log: ${about}`}>
      <div class="row">
        <fieldset class="tabs">
          <legend class="unseen">Which events</legend>
          {FILTERS.map(([words, filter]) => (
            <button
              key={words}
              type="button"
              class="tab"
              aria-pressed={state === filter}
              onClick={choose(filter)}
            >
              {words}
            </button>
          ))}
        </fieldset>
        <Button
          look="quiet"
          onError={setError}
          onPress={async () => {
            setError(undefined);
            await call("POST", `${path}/replay`, WebhookReplayed, { since: 0 });
            await reload();
          }}
        >
          Send again all that failed
        </Button>
      </div>
      <Failure error={error} />
      {loaded.state === "failed" ? <Failure error={loaded.error} onRetry={reload} /> : null}
      {loaded.state === "ready" && loaded.value.events.length === 0 ? (
        <p class="soft small">Nothing here.</p>
      ) : null}
      {loaded.state === "ready" ? (
        <ul class="log">
          {loaded.value.events.map((event) => (
            <Entry key={event.id} path={path} event={event} onChanged={reload} />
          ))}
        </ul>
      ) : null}
      <div class="row">
        {before === undefined ? null : (
          <Button look="quiet" onPress={() => setBefore(undefined)}>
            Newest
          </Button>
        )}
        {loaded.state === "ready" && loaded.value.before !== null ? (
          <Button look="quiet" onPress={() => setBefore(loaded.value.before ?? undefined)}>
            Older
          </Button>
        ) : null}
      </div>
    </section>
  );
}

const FILTERS: readonly (readonly [words: string, state: WebhookEventState | undefined])[] = [
  ["All", undefined],
  ["Waiting", "pending"],
  ["Failed", "failed"],
];
const STATES: Readonly<Record<WebhookEventState, readonly [tone: string, words: string]>> = {
  pending: ["warn", "Waiting"],
  delivered: ["good", "Delivered"],
  failed: ["warn", "Failed"],
};

interface EntryProps {
  readonly path: string;
  readonly event: WebhookEventEntry;
  readonly onChanged: () => Promise<void>;
}

function Entry({ path, event, onChanged }: EntryProps) {
  const [isOpen, setOpen] = useState(false);
  const [error, setError] = useState<unknown>();
  const [tone, words] = STATES[event.state];
  const attempts = `${event.attempts} ${event.attempts === 1 ? "attempt" : "attempts"}`;
  const about = `${event.type}, ${moment(event.happenedAt)}`;
  return (
    <li class="log-entry">
      <div class="log-line">
        <code>{event.type}</code>
        <span class="soft small">{moment(event.happenedAt)}</span>
        <span class="chip" data-tone={tone}>
          {words}
        </span>
        <span class="row log-actions">
          <Button look="quiet" label={`${attempts}: ${about}`} onPress={() => setOpen(!isOpen)}>
            {attempts}
          </Button>
          {event.type === "test" ? null : (
            <Button
              look="quiet"
              label={`Send again: ${about}`}
              onError={setError}
              onPress={async () => {
                setError(undefined);
                await call("POST", `${path}/events/${event.id}/replay`, WebhookEventEntry);
                await onChanged();
              }}
            >
              Send again
            </Button>
          )}
        </span>
      </div>
      <Failure error={error} />
      {isOpen ? <Attempts path={`${path}/events/${event.id}`} attempts={event.attempts} /> : null}
    </li>
  );
}

/** @param attempts how many there are: another number reads again */
function Attempts({ path, attempts }: { readonly path: string; readonly attempts: number }) {
  const [loaded, reload] = useLoaded(`${path} ${attempts}`, () => call("GET", path, WebhookEventDetail));
  if (loaded.state === "loading") return <p class="soft small">…</p>;
  if (loaded.state === "failed") return <Failure error={loaded.error} onRetry={reload} />;
  return (
    <ul class="log-attempts small">
      {loaded.value.attempts.map((attempt) => (
        <li key={attempt.at}>{wordsOf(attempt)}</li>
      ))}
      {loaded.value.event.nextAttemptAt === null ? null : (
        <li class="soft">Next attempt: {moment(loaded.value.event.nextAttemptAt)}</li>
      )}
    </ul>
  );
}

const OUTCOMES: Readonly<Record<WebhookOutcome, string>> = {
  delivered: "delivered",
  refused: "refused",
  gone: "gone for good",
  timeout: "did not answer in time",
  unreachable: "cannot be reached",
  address_unknown: "its name leads nowhere",
  address_private: "its name leads to a private address",
};

function wordsOf({ at, milliseconds, outcome, status, answer }: WebhookAttempt): string {
  const how = status === null ? OUTCOMES[outcome] : `${OUTCOMES[outcome]}, ${status}`;
  return `${moment(at)}: ${how}, ${milliseconds} ms${answer === "" ? "" : ` · ${answer}`}`;
}
