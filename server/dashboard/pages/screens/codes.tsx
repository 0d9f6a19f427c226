import { useState } from "preact/hooks";
import type { DashboardProvider } from "../../../../shared/protocol/dashboard.ts";
import { Brand } from "../parts/brand.tsx";
import { Button } from "../parts/button.tsx";
import { Copy } from "../parts/copy.tsx";
import { Failure } from "../parts/notice.tsx";

export interface CodesProps {
  readonly provider: DashboardProvider;
  readonly codes: readonly string[];
  readonly onKept: () => Promise<void>;
}

/** Shown once: the provider keeps no more than what it needs to know one again. */
export function CodesScreen({ provider, codes, onKept }: CodesProps) {
  const [isKept, setKept] = useState(false);
  const [error, setError] = useState<unknown>();
  return (
    <main class="alone">
      <Brand provider={provider} />
      <section class="sheet card">
        <h1>Keep these recovery codes</h1>
        <p class="soft">
          If every device with your passkey is lost, one of these signs you in, once each. They are shown only
          now. Print them, or put them where you keep what matters.
        </p>
        <Copy label="Recovery codes" text={codes.join("\n")} many />
        <div class="row">
          <a class="button" data-look="plain" download="tuppence-recovery-codes.txt" href={fileOf(codes)}>
            Download
          </a>
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={isKept}
            onChange={({ currentTarget }) => setKept(currentTarget.checked)}
          />
          <span>I have kept them in a safe place</span>
        </label>
        <Failure error={error} />
        <Button size="large" disabled={!isKept} onPress={onKept} onError={setError}>
          Go on
        </Button>
      </section>
    </main>
  );
}

function fileOf(codes: readonly string[]): string {
  return `data:text/plain;charset=utf-8,${encodeURIComponent(`${codes.join("\n")}\n`)}`;
}
