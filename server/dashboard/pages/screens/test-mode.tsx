import { useEffect, useState } from "preact/hooks";
import { Refusal } from "../api.ts";
import { Brand } from "../parts/brand.tsx";
import { Button } from "../parts/button.tsx";
import { Failure, Notice } from "../parts/notice.tsx";
import { withPasskey } from "../passkey.ts";
import { linkTo } from "../route.ts";
import { arrive, handOver, leaveForLive, type Paired } from "../test-mode.ts";

/** Test: on the way to the live dashboard. @param merchant whose screens are to be shown afterwards */
export function EnterScreen({
  provider,
  merchant,
}: {
  readonly provider: Paired;
  readonly merchant: string;
}) {
  useEffect(() => {
    void leaveForLive(provider, merchant === "" ? "#/" : linkTo(merchant, "revenue"));
  }, []);
  return <main class="alone" aria-busy="true" />;
}

/** Live: whoever is signed in is handed over at once; who signed in a while ago shows the passkey first. */
export function HandOverScreen({
  provider,
  nonceHash,
}: {
  readonly provider: Paired;
  readonly nonceHash: string;
}) {
  const [isStale, setStale] = useState(false);
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    void handOver(provider, nonceHash).catch((reason: unknown) => {
      if (reason instanceof Refusal && reason.code === "access_stale") setStale(true);
      else setError(reason);
    });
  }, [nonceHash]);
  if (!isStale && error === undefined) return <main class="alone" aria-busy="true" />;
  return (
    <main class="alone">
      <Brand provider={provider} />
      <section class="sheet card">
        <h1>Go on to test mode</h1>
        {isStale ? <p class="soft">You signed in a while ago. Show your passkey again.</p> : null}
        <Failure error={error} />
        <Button
          size="large"
          onError={setError}
          onPress={async () => {
            setError(undefined);
            await withPasskey(() => handOver(provider, nonceHash));
          }}
        >
          Go on
        </Button>
        <div class="row">
          <a class="button" data-look="quiet" href="#/">
            Stay here
          </a>
        </div>
      </section>
    </main>
  );
}

export interface ArriveProps {
  readonly provider: Paired;
  readonly handover: string;
  readonly onArrived: () => Promise<void>;
}

/** Test: back from the live dashboard. */
export function ArriveScreen({ provider, handover, onArrived }: ArriveProps) {
  const [error, setError] = useState<unknown>();
  const [arrived, setArrived] = useState<Awaited<ReturnType<typeof arrive>>>();
  const goOn = async (hash: string) => {
    await onArrived();
    // In its place, so that the browser's way back does not lead here.
    location.replace(hash);
  };
  useEffect(() => {
    void arrive(handover)
      .then((there) => (there.leftOut.length === 0 ? goOn(there.hash) : setArrived(there)))
      .catch(setError);
  }, [handover]);
  if (arrived)
    return (
      <main class="alone">
        <Brand provider={provider} />
        <section class="sheet card">
          <h1>You are in test mode</h1>
          <Notice tone="warn" title={`Not here: ${arrived.leftOut.join(", ")}`}>
            <p>Somebody else has this id in test mode. Ask your provider.</p>
          </Notice>
          <Button size="large" onError={setError} onPress={() => goOn(arrived.hash)}>
            Go on
          </Button>
        </section>
      </main>
    );
  if (error === undefined) return <main class="alone" aria-busy="true" />;
  return (
    <main class="alone">
      <Brand provider={provider} />
      <section class="sheet card">
        <h1>You are not in test mode yet</h1>
        <Failure error={error} />
        <a class="button" data-size="large" href="#/+enter/">
          Come again from live
        </a>
      </section>
    </main>
  );
}

/** Test: nobody is signed in, or has nothing here. */
export function FromLiveScreen({
  provider,
  hasNoMerchant,
}: {
  readonly provider: Paired;
  readonly hasNoMerchant: boolean;
}) {
  return (
    <main class="alone">
      <Brand provider={provider} />
      <section class="sheet card">
        <h1>Try it out with play money</h1>
        <p class="soft">
          {hasNoMerchant
            ? "There is no merchant of yours here. Make one in your live dashboard, then come again: it comes along, with its sites."
            : "You sign in with the passkey of your live dashboard. Your merchants and their sites come along; payments and money do not."}
        </p>
        <a class="button" data-size="large" href="#/+enter/">
          Come from the live dashboard
        </a>
      </section>
    </main>
  );
}
