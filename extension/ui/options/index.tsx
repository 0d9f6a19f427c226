/** The options page: connects to the background, follows the address, and draws the section that it names. */
import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { WELCOME_PAGE } from "../../../shared/protocol/ui.ts";
import { extensionUrl, openTab } from "../../platform.ts";
import { readRoute } from "../shared/route.ts";
import { t } from "../shared/text.tsx";
import { connectWallet } from "../shared/wallet.ts";
import { sectionNamed } from "./sections.tsx";
import { OptionsView } from "./view.tsx";

const TICK_MS = 1_000;

const { snapshot, silent, mode } = connectWallet();
const route = signal(readRoute(location.hash));
const now = signal(Date.now());
sectionNamed(route.value.section, undefined).askAhead?.(route.value, now.value);

addEventListener("hashchange", () => {
  route.value = readRoute(location.hash);
});
setInterval(() => {
  now.value = Date.now();
}, TICK_MS);
effect(() => {
  document.title = `${t(sectionNamed(route.value.section, snapshot.value).title)} · Tuppence`;
});

function Options() {
  return (
    <OptionsView
      snapshot={snapshot.value}
      mode={mode.value}
      silent={silent.value}
      route={route.value}
      now={now.value}
      openWelcome={() => void openTab(extensionUrl(WELCOME_PAGE))}
    />
  );
}

const root = document.getElementById("root");
if (root) render(<Options />, root);
