import { useState } from "preact/hooks";
import {
  type DashboardProvider,
  type ProofAttempt,
  type ProofMethod,
  type Site,
  SiteChecked,
  SiteList,
} from "../../../../shared/protocol/dashboard.ts";
import { call, Done } from "../api.ts";
import { useLoaded } from "../load.ts";
import { Button } from "../parts/button.tsx";
import { Copy } from "../parts/copy.tsx";
import { Field } from "../parts/field.tsx";
import { Failure } from "../parts/notice.tsx";
import { Sure } from "../parts/sure.tsx";
import { day } from "../parts/time.ts";

export interface SitesProps {
  readonly provider: DashboardProvider;
  readonly merchant: string;
}

export function SitesScreen({ provider, merchant }: SitesProps) {
  const isTest = provider.mode === "test";
  const path = `/api/merchants/${merchant}/sites`;
  const [loaded, reload] = useLoaded(path, () => call("GET", path, SiteList));
  const [attempts, setAttempts] = useState<ReadonlyMap<string, readonly ProofAttempt[]>>(new Map());
  const [address, setAddress] = useState("");
  const [error, setError] = useState<unknown>();

  const tell = async ({ site, attempts: seen }: SiteChecked) => {
    setAttempts((before) => new Map(before).set(site.origin, seen));
    await reload();
  };
  const add = async () => {
    setError(undefined);
    await tell(await call("POST", path, SiteChecked, { origin: originOf(address) }));
    setAddress("");
  };
  return (
    <>
      <header class="screen-head">
        <h1>Sites</h1>
        <p class="soft">
          {isTest
            ? "In test mode a site counts as soon as you add it, without a proof: what is paid there is play money. An address of your own machine will do. The sites that you have proven in live mode came along."
            : "Wallets pay you only on a site that you have proven to be yours. The proof is looked for at once, and again every day."}
        </p>
      </header>
      <form class="card form-row">
        <Field
          label="Address of your site"
          value={address}
          onInput={setAddress}
          placeholder={isTest ? "http://localhost:3000" : "https://paper.example"}
        />
        <Button submit onPress={add} onError={setError} disabled={originOf(address) === ""}>
          Add
        </Button>
      </form>
      <Failure error={error} />
      {loaded.state === "failed" ? <Failure error={loaded.error} onRetry={reload} /> : null}
      {loaded.state === "ready" ? (
        <ul class="stack">
          {loaded.value.sites.map((site) => (
            <SiteCard
              key={site.origin}
              site={site}
              isTest={isTest}
              attempts={attempts.get(site.origin)}
              onCheck={async () =>
                tell(await call("POST", `${path}/${encodeURIComponent(site.origin)}/check`, SiteChecked))
              }
              onRemove={async () => {
                await call("DELETE", `${path}/${encodeURIComponent(site.origin)}`, Done);
                await reload();
              }}
            />
          ))}
        </ul>
      ) : null}
      {loaded.state === "ready" && loaded.value.sites.length === 0 ? (
        <p class="soft">No site yet. Add the address under which your readers know you.</p>
      ) : null}
    </>
  );
}

interface SiteCardProps {
  /** There is nothing to prove. */
  readonly isTest: boolean;
  readonly site: Site;
  readonly attempts: readonly ProofAttempt[] | undefined;
  readonly onCheck: () => Promise<void>;
  readonly onRemove: () => Promise<void>;
}

function SiteCard({ site, isTest, attempts, onCheck, onRemove }: SiteCardProps) {
  const [error, setError] = useState<unknown>();
  const [way, setWay] = useState<ProofMethod>("file");
  const isProven = site.provenAt !== null;
  const guard = (act: () => Promise<void>) => async () => {
    setError(undefined);
    await act();
  };
  return (
    <li class="card site">
      <div class="site-head">
        <h2 class="foreign">{site.origin}</h2>
        <StateChip site={site} isTest={isTest} />
        <div class="site-actions">
          {isTest ? null : (
            <Button
              look="quiet"
              onPress={guard(onCheck)}
              onError={setError}
              label={`Check now: ${site.origin}`}
            >
              Check now
            </Button>
          )}
          <Sure
            about={site.origin}
            words="Remove it"
            consequence={
              isProven ? "Wallets stop paying you there at once." : "Its proof is looked for no more."
            }
            onYes={guard(onRemove)}
            onError={setError}
          >
            Remove
          </Sure>
        </div>
      </div>
      <Failure error={error} />
      <p class="unseen" role="status">
        {isProven && attempts ? `${site.origin} ${isTest ? "counts in test mode" : "is proven"}.` : ""}
      </p>
      {isProven && site.missingSince === null ? null : (
        <div class="proof">
          <fieldset class="tabs">
            <legend class="unseen">Way to prove {site.origin}</legend>
            {WAYS.map(({ method, title }) => (
              <button
                key={method}
                type="button"
                class="tab"
                aria-pressed={way === method}
                onClick={() => setWay(method)}
              >
                {title}
              </button>
            ))}
          </fieldset>
          <Instructions site={site} way={way} />
          <Seen attempt={attempts?.find(({ method }) => method === way)} />
        </div>
      )}
    </li>
  );
}

const WAYS: readonly { readonly method: ProofMethod; readonly title: string }[] = [
  { method: "file", title: "A file" },
  { method: "meta", title: "A tag" },
  { method: "dns", title: "A DNS record" },
];

function StateChip({ site, isTest }: Pick<SiteCardProps, "site" | "isTest">) {
  if (isTest && site.provenAt !== null)
    return (
      <span class="chip" data-tone="good">
        Counts in test mode
      </span>
    );
  if (site.provenAt === null)
    return (
      <span class="chip" data-tone="warn">
        Not proven yet
      </span>
    );
  if (site.missingSince !== null)
    return (
      <span class="chip" data-tone="warn">
        Proof missing since {day(site.missingSince)}
      </span>
    );
  return (
    <span class="chip" data-tone="good">
      Proven {day(site.provenAt)}
    </span>
  );
}

function Instructions({ site, way }: { readonly site: Site; readonly way: ProofMethod }) {
  if (way === "file")
    return (
      <>
        <p>
          Put this one line into a file at{" "}
          <code class="foreign">{site.origin}/.well-known/tuppence-site.txt</code>
        </p>
        <Copy label="Line of the file" text={site.token} />
      </>
    );
  if (way === "meta")
    return (
      <>
        <p>Put this tag into the head of your first page.</p>
        <Copy label="Tag" text={`<meta name="tuppence-site" content="${site.token}">`} />
      </>
    );
  return (
    <>
      <p>
        Add a TXT record for <code class="foreign">_tuppence.{new URL(site.origin).hostname}</code>
      </p>
      <Copy label="Value of the record" text={`tuppence-site=${site.token}`} />
    </>
  );
}

function Seen({ attempt }: { readonly attempt: ProofAttempt | undefined }) {
  return (
    <p class="input-note" role="status">
      {attempt === undefined ? "" : `Looked just now: ${attempt.seen}`}
    </p>
  );
}

/** Has no certificate, as a rule. */
const OWN_MACHINE = /^(localhost|127\.|\[::1\])/i;

/** As people type addresses: without the scheme, or with a page behind it. Empty where it is none. */
function originOf(address: string): string {
  const text = address.trim();
  if (text === "") return "";
  const url = /^https?:\/\//i.test(text) ? text : `${OWN_MACHINE.test(text) ? "http" : "https"}://${text}`;
  return URL.canParse(url) ? new URL(url).origin : "";
}
