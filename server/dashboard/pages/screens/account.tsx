import { useState } from "preact/hooks";
import { type Me, type Passkey, RecoveryCodes } from "../../../../shared/protocol/dashboard.ts";
import { call, Done } from "../api.ts";
import { Button } from "../parts/button.tsx";
import { Field } from "../parts/field.tsx";
import { Failure } from "../parts/notice.tsx";
import { day } from "../parts/time.ts";
import { addPasskey } from "../passkey.ts";

export interface AccountProps {
  readonly me: Me;
  readonly onChanged: () => Promise<void>;
  readonly onCodes: (codes: readonly string[]) => void;
}

export function AccountScreen({ me, onChanged, onCodes }: AccountProps) {
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
        <div class="card form-row">
          <Field
            label="Name of a further passkey"
            value={name}
            onInput={setName}
            maxLength={60}
            placeholder="Phone"
          />
          <Button
            disabled={name.trim() === ""}
            onError={setError}
            onPress={async () => {
              setError(undefined);
              if (!(await addPasskey(name))) return;
              setName("");
              await onChanged();
            }}
          >
            Add a passkey
          </Button>
        </div>
      </section>
      <section class="card item" aria-labelledby="codes">
        <div>
          <h2 id="codes">Recovery codes</h2>
          <p class="soft">{me.recoveryCodesLeft} of 10 are left. New ones replace them.</p>
        </div>
        <Button
          look="plain"
          onError={setError}
          onPress={async () => onCodes((await call("POST", "/api/me/recovery-codes", RecoveryCodes)).codes)}
        >
          Make new codes
        </Button>
      </section>
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
        <Button
          look="quiet"
          label={`Remove: ${passkey.name}`}
          onError={setError}
          onPress={async () => {
            await call("DELETE", `/api/me/passkeys/${encodeURIComponent(passkey.id)}`, Done);
            await onChanged();
          }}
        >
          Remove
        </Button>
      )}
    </li>
  );
}
