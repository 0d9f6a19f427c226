import type { ComponentChildren } from "preact";
import type { DashboardProvider, Me } from "../../../../shared/protocol/dashboard.ts";
import { ACCOUNT_LINK, linkTo, type Route, SCREENS, type Screen } from "../route.ts";
import { comesFromLive, dashboardOf, leadsToTest } from "../test-mode.ts";
import { Brand } from "./brand.tsx";

export interface FrameProps {
  readonly provider: DashboardProvider;
  readonly me: Me;
  readonly merchant: Me["merchants"][number] | undefined;
  readonly route: Route;
  readonly children: ComponentChildren;
}

/** What stands around every screen of whoever is signed in. */
export function Frame({ provider, me, merchant, route, children }: FrameProps) {
  return (
    <div class="frame">
      <header class="frame-head">
        <Brand provider={provider} />
        {merchant ? (
          <nav aria-label="Screens">
            <MerchantChoice me={me} merchant={merchant} mayMake={!comesFromLive(provider)} />
            <ul>
              {screens().map((screen) => (
                <li key={screen}>
                  <a
                    class="nav-link"
                    href={linkTo(merchant.id, screen)}
                    aria-current={route.screen === screen ? "page" : undefined}
                  >
                    {SCREENS[screen]}
                  </a>
                </li>
              ))}
            </ul>
          </nav>
        ) : null}
        <div class="nav-account">
          {leadsToTest(provider) ? (
            <a class="nav-link" href={dashboardOf(provider.counterpart, `#/+enter/${merchant?.id ?? ""}`)}>
              Test mode
            </a>
          ) : null}
          <a
            class="nav-link"
            href={ACCOUNT_LINK}
            aria-current={route.screen === "account" ? "page" : undefined}
          >
            {comesFromLive(provider) ? "Sign out" : "Sign-in and recovery"}
          </a>
        </div>
      </header>
      <main class="frame-main">{children}</main>
    </div>
  );
}

function screens(): Screen[] {
  return Object.keys(SCREENS).filter((name): name is Screen => Object.hasOwn(SCREENS, name));
}

const NEW = "+";

/** With one merchant a name, with several a choice. */
function MerchantChoice({
  me,
  merchant,
  mayMake,
}: Pick<FrameProps, "me"> & {
  readonly merchant: Me["merchants"][number];
  readonly mayMake: boolean;
}) {
  return (
    <div class="merchant">
      <select
        class="select"
        aria-label="Merchant"
        value={merchant.id}
        onChange={({ currentTarget }) => {
          location.hash = currentTarget.value === NEW ? `#/${NEW}` : linkTo(currentTarget.value, "paste");
        }}
      >
        {me.merchants.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
        {mayMake ? <option value={NEW}>New merchant…</option> : null}
      </select>
    </div>
  );
}
