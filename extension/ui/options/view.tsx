import { useEffect, useRef } from "preact/hooks";
import type { WalletSnapshot } from "../../../shared/protocol/ui.ts";
import { Announcer } from "../shared/announcer.tsx";
import { Brand } from "../shared/brand.tsx";
import { Button } from "../shared/button.tsx";
import { EmptyState } from "../shared/empty-state.tsx";
import { Icon } from "../shared/icon.tsx";
import { formatBalance } from "../shared/money.ts";
import { type Route, writeRoute } from "../shared/route.ts";
import { TestMode } from "../shared/test-mode.tsx";
import { t } from "../shared/text.tsx";
import { Unlock } from "../shared/unlock.tsx";
import { Waiting } from "../shared/waiting.tsx";
import type { Mode } from "../shared/wallet.ts";

import { sectionNamed, sectionsFor } from "./sections.tsx";

export function OptionsView(props: {
  readonly snapshot: WalletSnapshot | undefined;
  readonly mode: Mode;
  readonly silent: boolean;
  readonly route: Route;
  readonly now: number;
  readonly openWelcome: () => void;
}) {
  const { snapshot, mode, route } = props;
  const section = sectionNamed(route.section, snapshot);
  return (
    <>
      {mode === "live" ? null : (
        <aside aria-label={t("test_mode")}>
          <TestMode mode={mode} />
        </aside>
      )}
      <div class="options">
        <header class="options-side">
          <Brand playMoney={snapshot?.provider.sandbox ?? false} />
          <nav aria-label={t("options_sections")}>
            <ul class="options-sections">
              {sectionsFor(snapshot).map(({ name, title, icon }) => (
                <li key={name}>
                  <a
                    class="options-link"
                    href={writeRoute(name)}
                    aria-current={name === section.name ? "page" : undefined}
                  >
                    <Icon name={icon} size={20} />
                    {t(title)}
                  </a>
                </li>
              ))}
            </ul>
          </nav>
        </header>
        <main class="options-main">
          <Content {...props} />
        </main>
      </div>
    </>
  );
}

function Content(props: {
  readonly snapshot: WalletSnapshot | undefined;
  readonly silent: boolean;
  readonly route: Route;
  readonly now: number;
  readonly openWelcome: () => void;
}) {
  const { snapshot, silent, route, now, openWelcome } = props;
  const { name, title, Section } = sectionNamed(route.section, snapshot);
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(name);
  useEffect(() => {
    // Only where the reader went there: a page that has just opened leaves the focus where the browser puts it.
    if (before.current !== name) heading.current?.focus();
    before.current = name;
  }, [name]);
  if (snapshot === undefined)
    return silent ? (
      <EmptyState title={t("options_silent_title")} isWholePage>
        {t("options_silent")}
      </EmptyState>
    ) : (
      <Waiting class="options-waiting" title={t(title)} />
    );
  if (snapshot.state === "locked")
    return (
      <div class="options-locked">
        <Unlock />
      </div>
    );
  if (snapshot.state === "none")
    return (
      <EmptyState
        title={t("options_no_wallet_title")}
        isWholePage
        hasMark
        action={<Button onClick={openWelcome}>{t("options_set_up")}</Button>}
      >
        {t("options_no_wallet")}
      </EmptyState>
    );
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {t(title)}
      </h1>
      <Announcer
        words={t("shared_said_balance", {
          amount: formatBalance(snapshot.balance.total, snapshot.currency),
        })}
      />
      <Section snapshot={snapshot} route={route} now={now} />
    </>
  );
}
