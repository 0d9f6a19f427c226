import { useState } from "preact/hooks";
import type { DashboardProvider } from "../../../../shared/protocol/dashboard.ts";
import { call, Done } from "../api.ts";
import { Brand } from "../parts/brand.tsx";
import { Button } from "../parts/button.tsx";
import { Field } from "../parts/field.tsx";
import { Failure } from "../parts/notice.tsx";
import { signIn, signUp } from "../passkey.ts";

export interface SignInProps {
  readonly provider: DashboardProvider;
  readonly onSignedIn: () => Promise<void>;
  readonly onSignedUp: (codes: readonly string[]) => void;
}

type Way = "sign-in" | "sign-up" | "recover";

export function SignInScreen({ provider, onSignedIn, onSignedUp }: SignInProps) {
  const [way, setWay] = useState<Way>("sign-in");
  const [error, setError] = useState<unknown>();
  const go = (to: Way) => () => {
    setError(undefined);
    setWay(to);
  };
  return (
    <main class="alone">
      <Brand provider={provider} />
      {way === "sign-in" ? (
        <section class="sheet card">
          <h1>Be paid by your readers</h1>
          <p class="soft">
            A few cents for an article, or a tip, with one click: no account at your site, no card form.{" "}
            {provider.name} pays you what comes together.
          </p>
          <Failure error={error} />
          <Button
            size="large"
            onError={setError}
            onPress={async () => {
              setError(undefined);
              if (await signIn()) await onSignedIn();
            }}
          >
            Sign in with a passkey
          </Button>
          <Button size="large" look="plain" onPress={go("sign-up")}>
            Sign up
          </Button>
          <div class="row">
            <Button look="quiet" onPress={go("recover")}>
              I have lost my passkeys
            </Button>
          </div>
        </section>
      ) : null}
      {way === "sign-up" ? <SignUp {...{ error, setError, onSignedUp }} onBack={go("sign-in")} /> : null}
      {way === "recover" ? <Recover {...{ error, setError, onSignedIn }} onBack={go("sign-in")} /> : null}
    </main>
  );
}

interface WayProps {
  readonly error: unknown;
  readonly setError: (error: unknown) => void;
  readonly onBack: () => void;
}

function SignUp({ error, setError, onSignedUp, onBack }: WayProps & Pick<SignInProps, "onSignedUp">) {
  const [name, setName] = useState("");
  return (
    <section class="sheet card">
      <h1>Sign up</h1>
      <p class="soft">
        Your device makes a passkey and keeps it: no password, and no address of yours. You open it with your
        fingerprint, your face or the device's PIN.
      </p>
      <Failure error={error} />
      <Field
        label="Your name"
        value={name}
        onInput={setName}
        maxLength={64}
        autocomplete="name"
        note="Your device shows it beside the passkey. We do not keep it."
      />
      <Button
        size="large"
        disabled={name.trim() === ""}
        onError={setError}
        onPress={async () => {
          setError(undefined);
          const made = await signUp(name);
          if (made) onSignedUp(made.codes);
        }}
      >
        Make a passkey
      </Button>
      <div class="row">
        <Button look="quiet" onPress={onBack}>
          Back
        </Button>
      </div>
    </section>
  );
}

function Recover({ error, setError, onSignedIn, onBack }: WayProps & Pick<SignInProps, "onSignedIn">) {
  const [code, setCode] = useState("");
  return (
    <section class="sheet card">
      <h1>Sign in by a recovery code</h1>
      <p class="soft">
        One of the ten that you were given when you signed up. It works once, and signs you out everywhere
        else. Make a new passkey next.
      </p>
      <Failure error={error} />
      <Field
        label="Recovery code"
        value={code}
        onInput={setCode}
        placeholder="0000-0000-0000-0000"
        maxLength={40}
      />
      <Button
        size="large"
        disabled={code.trim() === ""}
        onError={setError}
        onPress={async () => {
          setError(undefined);
          await call("POST", "/api/session/recover", Done, { code });
          await onSignedIn();
        }}
      >
        Sign in
      </Button>
      <div class="row">
        <Button look="quiet" onPress={onBack}>
          Back
        </Button>
      </div>
    </section>
  );
}
