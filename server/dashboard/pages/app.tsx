/**
 * The dashboard: signed out → (recovery codes, after signing up) → no merchant yet → a merchant's screens. Which one it
 * is follows from what the provider answers to "who am I", and from nothing that is kept in the browser.
 */
import { useEffect, useState } from "preact/hooks";
import { DashboardProvider, Me } from "../../../shared/protocol/dashboard.ts";
import { call, Refusal, SIGNED_OUT } from "./api.ts";
import { useLoaded } from "./load.ts";
import { Brand } from "./parts/brand.tsx";
import { Frame } from "./parts/frame.tsx";
import { Mode } from "./parts/mode.tsx";
import { Failure } from "./parts/notice.tsx";
import { type Route, useRoute } from "./route.ts";
import { AccountScreen } from "./screens/account.tsx";
import { CodesScreen } from "./screens/codes.tsx";
import { KeysScreen } from "./screens/keys.tsx";
import { NewMerchantScreen } from "./screens/new-merchant.tsx";
import { PasteScreen } from "./screens/paste.tsx";
import { RevenueScreen } from "./screens/revenue.tsx";
import { SettingsScreen } from "./screens/settings.tsx";
import { SignInScreen } from "./screens/sign-in.tsx";
import { SitesScreen } from "./screens/sites.tsx";
import { ArriveScreen, EnterScreen, FromLiveScreen, HandOverScreen } from "./screens/test-mode.tsx";
import { WebhooksScreen } from "./screens/webhooks.tsx";
import { comesFromLive, leadsToTest } from "./test-mode.ts";

interface Start {
  readonly provider: DashboardProvider;
  /** Undefined: nobody is signed in. */
  readonly me: Me | undefined;
}

export function App() {
  const [loaded, reload] = useLoaded("start", readStart);
  const [codes, setCodes] = useState<readonly string[]>();
  const route = useRoute();
  const isSignedIn = loaded.state === "ready" && loaded.value.me !== undefined;
  useEffect(() => {
    const look = () => void (isSignedIn && reload().catch(() => undefined));
    addEventListener(SIGNED_OUT, look);
    return () => removeEventListener(SIGNED_OUT, look);
  }, [isSignedIn, reload]);
  const mode = loaded.state === "ready" ? loaded.value.provider.mode : "live";
  useNewScreen(
    `${loaded.state} ${isSignedIn} ${route.way?.step} ${route.merchant} ${route.screen} ${codes !== undefined}`,
    mode,
  );

  if (loaded.state === "loading") return <main class="alone" aria-busy="true" />;
  if (loaded.state === "failed")
    return (
      <main class="alone">
        <Brand provider={undefined} />
        <Failure error={loaded.error} onRetry={reload} />
      </main>
    );
  const { provider, me } = loaded.value;
  const merchant = me?.merchants.find(({ id }) => id === route.merchant) ?? me?.merchants[0];
  return (
    <>
      <Mode provider={provider} merchant={merchant?.id} />
      <Screen {...{ provider, me, merchant, route, codes, setCodes, reload }} />
    </>
  );
}

interface ScreenProps extends Start {
  readonly merchant: Me["merchants"][number] | undefined;
  readonly route: Route;
  readonly codes: readonly string[] | undefined;
  readonly setCodes: (codes: readonly string[] | undefined) => void;
  readonly reload: () => Promise<void>;
}

function Screen({ provider, me, merchant, route, codes, setCodes, reload }: ScreenProps) {
  const { way } = route;
  if (comesFromLive(provider)) {
    if (way?.step === "+enter") return <EnterScreen provider={provider} merchant={way.word} />;
    if (way?.step === "+arrive")
      return <ArriveScreen provider={provider} handover={way.word} onArrived={reload} />;
    if (!me || !merchant) return <FromLiveScreen provider={provider} hasNoMerchant={me !== undefined} />;
  }
  if (codes)
    return (
      <CodesScreen
        provider={provider}
        codes={codes}
        onKept={async () => {
          await reload();
          setCodes(undefined);
        }}
      />
    );
  if (!me) return <SignInScreen provider={provider} onSignedIn={reload} onSignedUp={setCodes} />;
  if (way?.step === "+handover" && leadsToTest(provider))
    return <HandOverScreen provider={provider} nonceHash={way.word} />;
  if (route.screen === "account")
    return (
      <Frame provider={provider} me={me} merchant={merchant} route={route}>
        <AccountScreen provider={provider} me={me} onChanged={reload} onCodes={setCodes} />
      </Frame>
    );
  if (!merchant || route.merchant === NEW_MERCHANT)
    return <NewMerchantScreen provider={provider} isFirst={!merchant} onMade={reload} />;
  return (
    <Frame provider={provider} me={me} merchant={merchant} route={route}>
      {route.screen === "revenue" ? <RevenueScreen key={merchant.id} merchant={merchant.id} /> : null}
      {route.screen === "paste" ? (
        <PasteScreen key={merchant.id} provider={provider} merchant={merchant} />
      ) : null}
      {route.screen === "sites" ? (
        <SitesScreen key={merchant.id} provider={provider} merchant={merchant.id} />
      ) : null}
      {route.screen === "keys" ? (
        <KeysScreen key={merchant.id} provider={provider} merchant={merchant.id} />
      ) : null}
      {route.screen === "webhooks" ? <WebhooksScreen key={merchant.id} merchant={merchant.id} /> : null}
      {route.screen === "settings" ? (
        <SettingsScreen key={merchant.id} provider={provider} merchant={merchant.id} onChanged={reload} />
      ) : null}
    </Frame>
  );
}

/** No merchant's id: those begin with a letter or a digit. */
const NEW_MERCHANT = "+";

/** Who moves on is told where they are: the title says it, and a screen reader begins at the heading. */
function useNewScreen(screen: string, mode: DashboardProvider["mode"]): void {
  // It is the change of screen that counts.
  useEffect(() => {
    const heading = document.querySelector("h1");
    if (!heading) return;
    document.title = `${heading.textContent} · Tuppence for sites${mode === "test" ? " · Test mode" : ""}`;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }, [screen]);
}

async function readStart(): Promise<Start> {
  const [provider, me] = await Promise.all([
    call("GET", "/api/provider", DashboardProvider),
    call("GET", "/api/me", Me).catch((error: unknown) => {
      if (error instanceof Refusal && error.code === "access_required") return undefined;
      throw error;
    }),
  ]);
  return { provider, me };
}
