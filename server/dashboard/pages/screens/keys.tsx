import { useState } from "preact/hooks";
import {
  type ApiKey,
  ApiKeyList,
  ApiKeyMade,
  type DashboardProvider,
  SCOPES,
  type Scope,
} from "../../../../shared/protocol/dashboard.ts";
import { call, Done } from "../api.ts";
import { useLoaded } from "../load.ts";
import { Button } from "../parts/button.tsx";
import { Copy } from "../parts/copy.tsx";
import { Field } from "../parts/field.tsx";
import { Failure, Notice } from "../parts/notice.tsx";
import { Sure } from "../parts/sure.tsx";
import { day } from "../parts/time.ts";
import { justSignedIn } from "../test-mode.ts";

const WORDS: Readonly<Record<Scope, string>> = {
  "payments:read": "See payments and revenue",
  "refunds:write": "Give payments back",
  "statements:read": "See statements",
  "sites:read": "See sites",
  "sites:write": "Add and remove sites",
  "webhooks:read": "See webhooks and what was sent",
  "webhooks:write": "Change webhooks and send again",
};

export interface KeysProps {
  readonly provider: DashboardProvider;
  readonly merchant: string;
}

export function KeysScreen({ provider, merchant }: KeysProps) {
  const path = `/api/merchants/${merchant}/keys`;
  const [loaded, reload] = useLoaded(path, () => call("GET", path, ApiKeyList));
  const [made, setMade] = useState<{ readonly key: ApiKey; readonly token: string }>();
  return (
    <>
      <header class="screen-head">
        <h1>API keys</h1>
        <p class="soft">For your back ends. Each key does what you allow it, for this merchant alone.</p>
      </header>
      {made ? (
        <Notice title={`Key “${made.key.name}” is made`}>
          <p>It is shown only now. Put it where your program finds it, and into no page and no repository.</p>
          <Copy label={`Key ${made.key.name}`} text={made.token} />
        </Notice>
      ) : null}
      <NewKey
        onMake={async (request) => {
          const key = await justSignedIn(provider, () => call("POST", path, ApiKeyMade, request));
          if (!key) return;
          setMade(key);
          await reload();
        }}
      />
      {loaded.state === "failed" ? <Failure error={loaded.error} onRetry={reload} /> : null}
      {loaded.state === "ready" && loaded.value.keys.length > 0 ? (
        <ul class="stack">
          {loaded.value.keys.map((key) => (
            <KeyCard
              key={key.id}
              apiKey={key}
              onRevoke={async () => {
                await call("DELETE", `${path}/${key.id}`, Done);
                await reload();
              }}
            />
          ))}
        </ul>
      ) : null}
    </>
  );
}

function NewKey({
  onMake,
}: {
  readonly onMake: (request: Pick<ApiKey, "name" | "scopes">) => Promise<void>;
}) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(["payments:read"]);
  const [error, setError] = useState<unknown>();
  return (
    <form class="card form">
      <h2>New key</h2>
      <Field label="Name" value={name} onInput={setName} maxLength={60} placeholder="Shop back end" />
      <fieldset class="scopes">
        <legend>It may</legend>
        {SCOPES.map((scope) => (
          <label class="check" key={scope}>
            <input
              type="checkbox"
              checked={scopes.includes(scope)}
              onChange={({ currentTarget }) =>
                setScopes(
                  currentTarget.checked ? [...scopes, scope] : scopes.filter((other) => other !== scope),
                )
              }
            />
            <span>
              {WORDS[scope]} <code class="soft small">{scope}</code>
            </span>
          </label>
        ))}
      </fieldset>
      <Failure error={error} />
      <div>
        <Button
          submit
          disabled={name.trim() === "" || scopes.length === 0}
          onError={setError}
          onPress={async () => {
            setError(undefined);
            await onMake({ name, scopes: [...scopes] });
            setName("");
          }}
        >
          Make a key
        </Button>
      </div>
    </form>
  );
}

function KeyCard({ apiKey, onRevoke }: { readonly apiKey: ApiKey; readonly onRevoke: () => Promise<void> }) {
  const [error, setError] = useState<unknown>();
  return (
    <li class="card item">
      <div>
        <h2 class="foreign">{apiKey.name}</h2>
        <p class="soft small">
          {apiKey.scopes.join(", ")} · made {day(apiKey.createdAt)} ·{" "}
          {apiKey.lastUsedAt === null ? "never used" : `used ${day(apiKey.lastUsedAt)}`}
        </p>
        <Failure error={error} />
      </div>
      <Sure
        about={apiKey.name}
        words="Revoke for good"
        consequence="Programs that use it are refused from then on."
        onYes={onRevoke}
        onError={setError}
      >
        Revoke
      </Sure>
    </li>
  );
}
