import { useState } from "preact/hooks";
import * as v from "valibot";
import { type DashboardProvider, MerchantRequest } from "../../../../shared/protocol/dashboard.ts";
import { call } from "../api.ts";
import { Brand } from "../parts/brand.tsx";
import { Button } from "../parts/button.tsx";
import { Field } from "../parts/field.tsx";
import { Failure } from "../parts/notice.tsx";
import { linkTo } from "../route.ts";

export interface NewMerchantProps {
  readonly provider: DashboardProvider;
  readonly isFirst: boolean;
  readonly onMade: () => Promise<void>;
}

export function NewMerchantScreen({ provider, isFirst, onMade }: NewMerchantProps) {
  const [name, setName] = useState("");
  const [chosenId, setChosenId] = useState<string>();
  const [error, setError] = useState<unknown>();
  const id = chosenId ?? suggestId(name);
  const isRight = v.is(MerchantRequest, { id, name });
  return (
    <main class="alone">
      <Brand provider={provider} />
      <section class="sheet card">
        <h1>{isFirst ? "What is your site called?" : "A further merchant"}</h1>
        <p class="soft">Readers see this name when they are asked to pay, beside the address of the page.</p>
        <Failure error={error} />
        <Field label="Name" value={name} onInput={setName} maxLength={100} placeholder="The Lantern" />
        <Field
          label="Id"
          value={id}
          onInput={setChosenId}
          maxLength={40}
          invalid={id !== "" && !isRight && name.trim() !== ""}
          note="Stands in what you paste, and never changes: small letters, digits and hyphens, 2 to 40."
        />
        <Button
          size="large"
          disabled={!isRight}
          onError={setError}
          onPress={async () => {
            setError(undefined);
            await call("POST", "/api/me/merchants", v.object({ id: v.string() }), { id, name });
            location.hash = linkTo(id, "sites");
            await onMade();
          }}
        >
          Go on
        </Button>
        {isFirst ? null : (
          <div class="row">
            <a class="button" data-look="quiet" href="#/">
              Back
            </a>
          </div>
        )}
      </section>
    </main>
  );
}

const MAX_ID_LENGTH = 40;

function suggestId(name: string): string {
  return name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, MAX_ID_LENGTH);
}
