import { useState } from "preact/hooks";
import * as v from "valibot";
import { formatMoney, type Micros, parseMoney, ZERO } from "../../../../shared/money.ts";
import { type DashboardProvider, MerchantSettings } from "../../../../shared/protocol/dashboard.ts";
import { MAX_REFUND_POLICY_LENGTH } from "../../../../shared/protocol/fields.ts";
import { Ed25519PublicJwk } from "../../../../shared/protocol/provider.ts";
import { call } from "../api.ts";
import { useLoaded } from "../load.ts";
import { Button } from "../parts/button.tsx";
import { Field } from "../parts/field.tsx";
import { Failure, Notice } from "../parts/notice.tsx";
import { Sure } from "../parts/sure.tsx";
import { withoutSymbol } from "../snippets.ts";

export interface SettingsProps {
  readonly provider: DashboardProvider;
  readonly merchant: string;
  readonly onChanged: () => Promise<void>;
}

export function SettingsScreen({ provider, merchant, onChanged }: SettingsProps) {
  const path = `/api/merchants/${merchant}`;
  const [loaded, reload] = useLoaded(path, () => call("GET", path, MerchantSettings));
  return (
    <>
      <header class="screen-head">
        <h1>Settings</h1>
        <p class="soft">
          Your id is <code>{merchant}</code>.
        </p>
      </header>
      {loaded.state === "failed" ? <Failure error={loaded.error} onRetry={reload} /> : null}
      {loaded.state === "ready" ? (
        <>
          <Terms
            settings={loaded.value}
            currency={provider.currency}
            onSave={async (changes) => {
              await call("POST", path, MerchantSettings, changes);
              await Promise.all([reload(), onChanged()]);
            }}
          />
          <SealKeys
            settings={loaded.value}
            onSave={async (sealKeys) => {
              await call("POST", path, MerchantSettings, { sealKeys });
              await reload();
            }}
          />
        </>
      ) : null}
    </>
  );
}

/** In the order of length. */
const WINDOWS: readonly (readonly [seconds: number, words: string])[] = [
  [0, "None"],
  [3_600, "An hour"],
  [86_400, "A day"],
  [7 * 86_400, "A week"],
  [30 * 86_400, "30 days"],
];

interface TermsProps {
  readonly settings: MerchantSettings;
  readonly currency: string;
  readonly onSave: (changes: {
    readonly name: string;
    readonly refundWindowSeconds: number;
    readonly refundsPerDay: string | null;
    readonly refundPolicy: string | null;
    readonly payoutMinimum: string;
  }) => Promise<void>;
}

function Terms({ settings, currency, onSave }: TermsProps) {
  const [name, setName] = useState(settings.name);
  const [window, setWindow] = useState(settings.refundWindowSeconds);
  const [minimum, setMinimum] = useState(
    settings.payoutMinimum === ZERO ? "0" : formatMoney(settings.payoutMinimum, currency),
  );
  const [perDay, setPerDay] = useState(
    settings.refundsPerDay === null
      ? ""
      : settings.refundsPerDay === ZERO
        ? "0"
        : formatMoney(settings.refundsPerDay, currency),
  );
  const refundsPerDay = perDay.trim() === "" ? null : amountOf(perDay, currency);
  const [policy, setPolicy] = useState(settings.refundPolicy ?? "");
  const [error, setError] = useState<unknown>();
  const [isSaved, setSaved] = useState(false);
  const payoutMinimum = amountOf(minimum, currency);
  const windows = WINDOWS.some(([seconds]) => seconds === settings.refundWindowSeconds)
    ? WINDOWS
    : [...WINDOWS, [settings.refundWindowSeconds, `${settings.refundWindowSeconds} seconds`] as const];
  return (
    <form class="card form" aria-labelledby="terms">
      <h2 id="terms">What readers see and may do</h2>
      <Field label="Name" value={name} onInput={setName} maxLength={100} />
      <div class="field">
        <label for="window">Money back within</label>
        <select
          id="window"
          class="select"
          value={window}
          onChange={({ currentTarget }) => setWindow(Number(currentTarget.value))}
        >
          {windows.map(([seconds, words]) => (
            <option key={seconds} value={seconds}>
              {words}
            </option>
          ))}
        </select>
        <p class="input-note">
          Readers take a payment back by one click within it. Money is paid out once it is over. It holds for
          payments from now on.
        </p>
      </div>
      <Field
        label="Taken back in a day, at most"
        value={perDay}
        onInput={setPerDay}
        maxLength={12}
        invalid={refundsPerDay === undefined}
        note="By all readers together; empty: no limit. What is beyond is yours to give, in the list of payments."
      />
      <div class="field">
        <label for="policy">What you say about money back</label>
        <textarea
          id="policy"
          class="input"
          rows={3}
          maxLength={MAX_REFUND_POLICY_LENGTH}
          value={policy}
          aria-describedby="policy-note"
          // One paragraph: nobody has to wonder where a line that was typed went.
          onInput={({ currentTarget }) => setPolicy(currentTarget.value.replaceAll(/[\r\n]+/g, " "))}
        />
        <p class="input-note" id="policy-note">
          Plain text, {MAX_REFUND_POLICY_LENGTH} characters; {MAX_REFUND_POLICY_LENGTH - policy.length} left.
          Readers see it as your words, in quotation marks, before they pay and in the payment afterwards.
          Empty: nothing.
        </p>
      </div>
      <Field
        label="Pay out from"
        value={minimum}
        onInput={setMinimum}
        maxLength={12}
        invalid={payoutMinimum === undefined}
        note="What is less is carried on to the next settlement."
      />
      <Failure error={error} />
      {isSaved ? <Notice title="Saved" /> : null}
      <div>
        <Button
          submit
          disabled={name.trim() === "" || payoutMinimum === undefined || refundsPerDay === undefined}
          onError={setError}
          onPress={async () => {
            setError(undefined);
            setSaved(false);
            await onSave({
              name,
              refundWindowSeconds: window,
              refundsPerDay: refundsPerDay?.toString() ?? null,
              refundPolicy: policy.trim() === "" ? null : policy,
              payoutMinimum: String(payoutMinimum ?? settings.payoutMinimum),
            });
            setSaved(true);
          }}
        >
          Save
        </Button>
      </div>
    </form>
  );
}

/** Undefined where it is none. */
function amountOf(written: string, currency: string): Micros | undefined {
  return written.trim() === "0" ? ZERO : parseMoney(withoutSymbol(written, currency));
}

interface SealKeysProps {
  readonly settings: MerchantSettings;
  readonly onSave: (keys: MerchantSettings["sealKeys"]) => Promise<void>;
}

function SealKeys({ settings: { sealKeys }, onSave }: SealKeysProps) {
  const [text, setText] = useState("");
  const [error, setError] = useState<unknown>();
  const key = readKey(text);
  const save = async (keys: MerchantSettings["sealKeys"]) => {
    setError(undefined);
    await onSave(keys);
    setText("");
  };
  return (
    <form class="card form" aria-labelledby="seal-keys">
      <h2 id="seal-keys">Keys that sign your articles</h2>
      <p class="soft">
        The provider takes no sealed article that none of these signed. Make one in a checkout of Tuppence
        with <code>npx tuppence seal --make-key --key merchant-key.json</code> and paste what it prints.
      </p>
      <ul class="stack">
        {sealKeys.map((sealKey) => (
          <li class="item" key={sealKey.x}>
            <code class="foreign small">{sealKey.x}</code>
            <Sure
              about={sealKey.x}
              words="Remove it"
              consequence="Articles that it sealed sell no more until they are sealed again."
              onError={setError}
              onYes={() => save(sealKeys.filter(({ x }) => x !== sealKey.x))}
            >
              Remove
            </Sure>
          </li>
        ))}
      </ul>
      <Field
        label="Public key"
        value={text}
        onInput={setText}
        placeholder='{"kty":"OKP","crv":"Ed25519","x":"…"}'
        invalid={text.trim() !== "" && !key}
        note="The public half only. The other one stays with you."
      />
      <Failure error={error} />
      <div>
        <Button
          submit
          disabled={!key}
          onError={setError}
          onPress={async () => {
            if (key) await save([...sealKeys.filter(({ x }) => x !== key.x), key]);
          }}
        >
          Add the key
        </Button>
      </div>
    </form>
  );
}

/** Only what is public of it, should somebody paste the whole. */
function readKey(text: string): MerchantSettings["sealKeys"][number] | undefined {
  try {
    const parsed = v.safeParse(Ed25519PublicJwk, JSON.parse(text));
    if (!parsed.success) return undefined;
    const { kty, crv, x } = parsed.output;
    return { kty, crv, x };
  } catch {
    return undefined;
  }
}
