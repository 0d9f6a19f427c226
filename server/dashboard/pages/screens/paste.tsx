import { type ComponentChildren, h } from "preact";
import { useEffect, useState } from "preact/hooks";
import { formatMoney, isPayableInCoins, parseMoney } from "../../../../shared/money.ts";
import { makeOffer } from "../../../../shared/offer.ts";
import { type DashboardProvider, type Me, SiteList } from "../../../../shared/protocol/dashboard.ts";
import { call } from "../api.ts";
import { useLoaded } from "../load.ts";
import { Copy } from "../parts/copy.tsx";
import { Field } from "../parts/field.tsx";
import { percent } from "../parts/money.ts";
import { Failure } from "../parts/notice.tsx";
import { linkTo } from "../route.ts";
import {
  backEndCode,
  DEFAULT_LABEL,
  type Look,
  lookVariables,
  markedCode,
  priceWord,
  sealCommand,
  styleCode,
  tipCode,
  withoutSymbol,
} from "../snippets.ts";

export interface PasteProps {
  readonly provider: DashboardProvider;
  readonly merchant: Me["merchants"][number];
}

const KINDS = {
  article: "A sealed article",
  "back-end": "An article behind a back end",
  tip: "A tip jar",
} as const;
type Kind = keyof typeof KINDS;
const NO_SITE = "https://paper.example";

/** The element as readers will see it, beside the code to paste. */
export function PasteScreen({ provider, merchant }: PasteProps) {
  const path = `/api/merchants/${merchant.id}/sites`;
  const [sites, reloadSites] = useLoaded(path, () => call("GET", path, SiteList));
  const [chosenSite, chooseSite] = useState<string>();
  const [kind, setKind] = useState<Kind>("article");
  const [price, setPrice] = useState("5¢");
  const [label, setLabel] = useState(DEFAULT_LABEL);
  const [accent, setAccent] = useState<string>();
  const [onAccent, setOnAccent] = useState<string>();
  const look: Look = { accent, onAccent };

  const amount = parseMoney(withoutSymbol(price, provider.currency));
  const isPrice = amount !== undefined && isPayableInCoins(amount);
  const added = sites.state === "ready" ? sites.value.sites : [];
  const proven = added.filter(({ provenAt }) => provenAt !== null);
  // Whoever seals while the proof is on its way seals for the site that it is on its way for.
  const choices = proven.length > 0 ? proven : added;
  const site = (choices.find(({ origin }) => origin === chosenSite) ?? choices[0])?.origin ?? NO_SITE;
  const isTip = kind === "tip";
  const isTest = provider.mode === "test";
  const style = styleCode(isTip ? "tuppence-tip" : "tuppence-paywall", look);
  const tip = {
    provider: provider.origin,
    merchant: merchant.id,
    amount: isPrice ? priceWord(amount, provider.currency) : "5¢",
    currency: provider.currency,
    label: label.trim() || DEFAULT_LABEL,
  };
  return (
    <>
      <header class="screen-head">
        <h1>Put it on a page</h1>
        <p class="soft">Choose what you sell, look at it, and take the code.</p>
      </header>
      {sites.state === "ready" && proven.length === 0 ? (
        <p class="hint">
          You have not {isTest ? "added" : "proven"} a site yet: wallets will refuse to pay until then.{" "}
          <a href={linkTo(merchant.id, "sites")}>{isTest ? "Add" : "Prove"} your site</a>
        </p>
      ) : null}
      {isTest ? (
        <p class="hint">
          This is for test mode: it names <span class="foreign">{provider.origin}</span>, where wallets pay
          with play money. To take real money, paste it anew, and seal anew, with what your live dashboard
          shows.
        </p>
      ) : null}
      <div class="generator">
        <section class="card form" aria-label="What you sell">
          <fieldset class="tabs">
            <legend class="unseen">Kind</legend>
            {kinds().map((name) => (
              <button
                key={name}
                type="button"
                class="tab"
                aria-pressed={kind === name}
                onClick={() => setKind(name)}
              >
                {KINDS[name]}
              </button>
            ))}
          </fieldset>
          <Field
            label={isTip ? "Suggested tip" : "Price"}
            value={price}
            onInput={setPrice}
            maxLength={12}
            invalid={!isPrice}
            note={
              isPrice
                ? `Your readers pay ${formatMoney(amount, provider.currency)}; the provider keeps ${percent(provider.feeBasisPoints)} of what comes together.`
                : "A price looks like 5¢ or 0.05, down to a tenth of a cent."
            }
          />
          {isTip ? (
            <Field label="Words on the button" value={label} onInput={setLabel} maxLength={60} />
          ) : null}
          <div class="colours">
            <Colour label="Button" value={accent} fallback="#0f5c4a" onChange={setAccent} />
            <Colour label="Words on it" value={onAccent} fallback="#ffffff" onChange={setOnAccent} />
          </div>
        </section>
        <section class="card form preview" aria-label="As readers see it">
          <h2>As readers see it</h2>
          <Preview
            {...{ look, tip, isTip }}
            offer={JSON.stringify({
              offer: makeOffer({
                provider: provider.origin,
                merchant: merchant.id,
                amount: isPrice ? amount : 50_000n,
                currency: provider.currency,
                kind: "article",
                title: "Preview",
                resource: location.href.split("#", 1)[0] ?? "",
              }),
              sealed: "",
            })}
          />
          <p class="input-note">In your page it takes your font. Here it does nothing when it is pressed.</p>
        </section>
      </div>
      {isPrice ? (
        <section class="stack" aria-label="Code to paste">
          <h2>Code to paste</h2>
          {isTip ? (
            <Step title="Where the button should stand">
              {<Copy label="Tip jar" text={tipCode(tip)} many />}
            </Step>
          ) : null}
          {kind === "article" ? (
            <>
              <Step title="Mark the part of your page that is paid for">
                <Copy label="Marks" text={markedCode(priceWord(amount, provider.currency))} many />
              </Step>
              <Step title="Seal the folder that you publish">
                {choices.length > 1 ? (
                  <div class="field">
                    <label for="site">Your site</label>
                    <select
                      id="site"
                      class="select"
                      value={site}
                      onChange={({ currentTarget }) => chooseSite(currentTarget.value)}
                    >
                      {choices.map(({ origin }) => (
                        <option key={origin} value={origin}>
                          {origin}
                        </option>
                      ))}
                    </select>
                  </div>
                ) : null}
                {sites.state === "failed" ? (
                  <Failure error={sites.error} onRetry={reloadSites} />
                ) : (
                  // Sealed for another site than one's own, no article can be paid: no command before it is known.
                  <div
                    class={sites.state === "loading" ? "not-yet" : undefined}
                    aria-busy={sites.state === "loading"}
                  >
                    <Copy
                      label="Command"
                      text={sealCommand({
                        provider: provider.origin,
                        merchant: merchant.id,
                        price: priceWord(amount, provider.currency),
                        site,
                      })}
                      many
                    />
                  </div>
                )}
                <p class="soft small">
                  Both run in a checkout of Tuppence: nothing of this name is published elsewhere. Make the
                  key once with <code>npx tuppence seal --make-key --key merchant-key.json</code> and put its
                  public half into your <a href={linkTo(merchant.id, "settings")}>settings</a>.
                </p>
              </Step>
            </>
          ) : null}
          {kind === "back-end" ? (
            <Step title="Where the article should stand">
              <Copy label="Paywall" text={backEndCode()} many />
              <p class="soft small">
                Your back end answers 402 at this address until it was paid: a few lines with x402 for Express
                or Hono, with <code class="foreign">{provider.origin}</code> as the provider.
              </p>
            </Step>
          ) : null}
          {style === undefined ? null : (
            <Step title="Into your style sheet">
              <Copy label="Style" text={style} many />
            </Step>
          )}
          {kind === "article" ? null : (
            <Step title="Host one file yourself">
              <p>
                <a href="/dashboard/tuppence.js" download>
                  Download tuppence.js
                </a>{" "}
                and put it on your site. From ours, we would learn who reads what.
              </p>
            </Step>
          )}
        </section>
      ) : null}
    </>
  );
}

function kinds(): Kind[] {
  return Object.keys(KINDS).filter((name): name is Kind => Object.hasOwn(KINDS, name));
}

function Step({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  return (
    <section class="step">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

interface ColourProps {
  readonly label: string;
  readonly value: string | undefined;
  readonly fallback: string;
  readonly onChange: (value: string | undefined) => void;
}

function Colour({ label, value, fallback, onChange }: ColourProps) {
  return (
    <div class="colour">
      <label>
        <span>{label}</span>
        <input
          type="color"
          value={value ?? fallback}
          onInput={({ currentTarget }) => onChange(currentTarget.value)}
        />
      </label>
      {value === undefined ? (
        <span class="soft small">the page's own</span>
      ) : (
        <button
          type="button"
          class="button"
          data-look="quiet"
          aria-label={`The page's own: ${label}`}
          onClick={() => onChange(undefined)}
        >
          The page's own
        </button>
      )}
    </div>
  );
}

interface PreviewProps {
  readonly look: Look;
  readonly isTip: boolean;
  readonly tip: {
    readonly provider: string;
    readonly merchant: string;
    readonly amount: string;
    readonly currency: string;
    readonly label: string;
  };
  /** The JSON of the element. */
  readonly offer: string;
}

/** The snippet itself, as a site hosts it. `inert`: nobody pays here. */
function Preview({ look, isTip, tip, offer }: PreviewProps) {
  const [isThere, setThere] = useState(customElements.get("tuppence-tip") !== undefined);
  useEffect(() => {
    void import(/* @vite-ignore */ new URL("./tuppence.js", document.baseURI).href).then(() =>
      setThere(true),
    );
  }, []);
  if (!isThere) return <div class="stage" aria-busy="true" />;
  return (
    <div class="stage" inert>
      {isTip
        ? h("tuppence-tip", { key: JSON.stringify([tip, look]), ...tip, style: lookVariables(look) })
        : h(
            "tuppence-paywall",
            { key: JSON.stringify([offer, look]), style: lookVariables(look) },
            <script type="application/tuppence+json">{offer}</script>,
          )}
    </div>
  );
}
