import { useState } from "preact/hooks";
import {
  type DashboardProvider,
  type Me,
  type Passkey,
  RecoveryCodes,
} from "../../../../shared/protocol/dashboard.ts";
import { call, Done } from "../api.ts";
import { Button } from "../parts/button.tsx";
import { Field } from "../parts/field.tsx";
import { Failure } from "../parts/notice.tsx";
import { Sure } from "../parts/sure.tsx";
import { day } from "../parts/time.ts";
import { addPasskey, withPasskey } from "../passkey.ts";
import { ACCOUNT_LINK } from "../route.ts";
import { comesFromLive, dashboardOf } from "../test-mode.ts";

export interface AccountProps {
  readonly provider: DashboardProvider;
  readonly me: Me;
  readonly onChanged: () => Promise<void>;
  readonly onCodes: (codes: readonly string[]) => void;
}

export function AccountScreen(props: AccountProps) {
  const { provider, onChanged } = props;
  const [error, setError] = useState<unknown>();
  const isFromLive = comesFromLive(provider);
  return (
    <>
      {isFromLive ? (
        <header class="screen-head">
          <h1>Sign out</h1>
          <p class="soft">
            Passkeys and recovery codes are those of your{" "}
            <a href={dashboardOf(provider.counterpart, ACCOUNT_LINK)}>live dashboard</a>. Signing out here
            leaves you signed in there.
          </p>
        </header>
      ) : (
        <OwnSignIn {...props} />
      )}
      <Failure error={error} />
      <div>
        <Button
          look="plain"
          onError={setError}
          onPress={async () => {
            await call("DELETE", "/api/session", Done);
            await onChanged();
          }}
        >
          Sign out
        </Button>
      </div>
    </>
  );
}

function OwnSignIn({ me, onChanged, onCodes }: AccountProps) {
  const [name, setName] = useState("");
  const [error, setError] = useState<unknown>();
  return (
    <>
      <header class="screen-head">
        <h1>Sign-in and recovery</h1>
        <p class="soft">
          A passkey on each device, and one for whoever works with you. There is no password that could be
          stolen.
        </p>
      </header>
      <Failure error={error} />
      <section class="stack" aria-labelledby="passkeys">
        <h2 id="passkeys">Passkeys</h2>
        <ul class="stack">
          {me.passkeys.map((passkey) => (
            <PasskeyCard
              key={passkey.id}
              passkey={passkey}
              isOnly={me.passkeys.length === 1}
              onChanged={onChanged}
            />
          ))}
        </ul>
        <form class="card form-row">
          <Field
            label="Name of a further passkey"
            value={name}
            onInput={setName}
            maxLength={60}
            placeholder="Phone"
          />
          <Button
            submit
            disabled={name.trim() === ""}
            onError={setError}
            onPress={async () => {
              setError(undefined);
              if (!(await withPasskey(() => addPasskey(name)))) return;
              setName("");
              await onChanged();
            }}
          >
            Add a passkey
          </Button>
        </form>
      </section>
      <section class="card item" aria-labelledby="codes">
        <div>
          <h2 id="codes">Recovery codes</h2>
          <p class="soft">{me.recoveryCodesLeft} of 10 are left. New ones replace them.</p>
        </div>
        <Sure
          about="recovery codes"
          words="Make new ones"
          consequence="The codes that you have kept open nothing any more."
          onError={setError}
          onYes={async () => {
            const made = await withPasskey(() => call("POST", "/api/me/recovery-codes", RecoveryCodes));
            if (made) onCodes(made.codes);
          }}
        >
          Make new codes
        </Sure>
      </section>
    </>
  );
}

interface PasskeyCardProps {
  readonly passkey: Passkey;
  readonly isOnly: boolean;
  readonly onChanged: () => Promise<void>;
}

function PasskeyCard({ passkey, isOnly, onChanged }: PasskeyCardProps) {
  const [error, setError] = useState<unknown>();
  return (
    <li class="card item">
      <div>
        <h3 class="foreign">{passkey.name}</h3>
        <p class="soft small">
          made {day(passkey.createdAt)} · used {day(passkey.lastUsedAt)}
        </p>
        <Failure error={error} />
      </div>
      {isOnly ? (
        <p class="soft small">Your only one</p>
      ) : (
        <Sure
          about={passkey.name}
          words="Remove it"
          consequence="It signs nobody in any more, and every other browser is signed out."
          onError={setError}
          onYes={async () => {
            await withPasskey(() =>
              call("DELETE", `/api/me/passkeys/${encodeURIComponent(passkey.id)}`, Done),
            );
            await onChanged();
          }}
        >
          Remove
        </Sure>
      )}
    </li>
  );
}
