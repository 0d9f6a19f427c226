/** The paper's pictures: drawn in two inks, inline, so that they follow the page's own colours and need no request. */

export const ART_NAMES = ["tide", "stamp", "lens", "coins", "river"] as const;
export type ArtName = (typeof ART_NAMES)[number];

const WIDTH = 640;
const HEIGHT = 400;

/** The picture as inline SVG; it says nothing that the headline does not, so it is hidden from screen readers. */
export function drawArt(name: ArtName): string {
  const lines = { tide: tide(), stamp: stamp(), lens: lens(), coins: coins(), river: river() }[name];
  return `<svg class="art" viewBox="0 0 ${WIDTH} ${HEIGHT}" aria-hidden="true" focusable="false" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round">${lines}</svg>`;
}

/** The lantern of the masthead. */
export const LANTERN =
  '<svg viewBox="0 0 26 36" aria-hidden="true" focusable="false" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linejoin="round"><path d="M9 6a4 4 0 0 1 8 0M6 10l3-4h8l3 4zM6 10v18h14V10M4 32h18l-2-4H6z"/><path d="M13 25c-3 0-4-2-4-4 0-3 3-4 4-8 1 4 4 5 4 8 0 2-1 4-4 4z" fill="currentColor" stroke="none"/></svg>';

/** The moon over a mill whose wheel stands in hatched water. */
function tide(): string {
  const water = range(13).map((row) => {
    const y = 268 + row * 11;
    const start = 24 + ((row * 53) % 70);
    return range(6)
      .map((wave) => path(`M${start + wave * 104} ${y}q13 -7 26 0t26 0`, row % 3 === 1 ? 0.55 : 1))
      .join("");
  });
  const rays = range(9)
    .map(
      (ring) =>
        `<circle cx="486" cy="98" r="${58 + ring * 15}" opacity="${round(0.5 - ring * 0.05)}" stroke-width=".9"/>`,
    )
    .join("");
  const spokes = range(12)
    .map((spoke) => spokeLine(292, 262, 8, 50, spoke / 12))
    .join("");
  const boards = range(12)
    .map((row) => path(`M124 ${150 + row * 10}h136`, 0.55))
    .join("");
  return `<g class="lamp">${rays}<circle cx="486" cy="98" r="44" fill="currentColor" stroke="none"/></g>
<path d="M124 262V140l68-58 68 58v122"/><path d="M108 152l84-72 84 72"/>${boards}
<path d="M150 176h22v26h-22zM212 176h22v26h-22zM181 116h22v20h-22z" fill="var(--plate)"/>
<circle cx="292" cy="262" r="50" fill="var(--plate)"/><circle cx="292" cy="262" r="42"/><circle cx="292" cy="262" r="8"/>${spokes}
<path d="M40 262h210M334 262h266" stroke-width="2.4"/>${water.join("")}`;
}

/** A stamp on a letter, with the waves of its postmark. */
function stamp(): string {
  const perforation = range(13)
    .map(
      (hole) =>
        `<circle cx="${418 + hole * 11}" cy="70" r="3.6"/><circle cx="${418 + hole * 11}" cy="238" r="3.6"/>`,
    )
    .join("");
  const sides = range(15)
    .map(
      (hole) =>
        `<circle cx="412" cy="${77 + hole * 11}" r="3.6"/><circle cx="556" cy="${77 + hole * 11}" r="3.6"/>`,
    )
    .join("");
  const hatching = range(30)
    .map((line) => path(`M430 ${88 + line * 4.6}h108`, 0.8))
    .join("");
  const cancel = range(6)
    .map((wave) => path(`M250 ${104 + wave * 18}q22 -13 44 0t44 0t44 0t44 0t44 0`))
    .join("");
  const address = [150, 118, 134, 92]
    .map((width, line) =>
      path(`M96 ${236 + line * 26}q${width / 6} -7 ${width / 3} 0t${width / 3} 0t${width / 3} 0`, 0.8),
    )
    .join("");
  return `<rect x="60" y="44" width="524" height="312" rx="3"/>${path("M60 44l262 176 262-176", 0.28)}${address}
<g class="lamp"><g fill="var(--plate)" stroke="none"><rect x="412" y="70" width="144" height="168"/></g><g stroke-width="1">${hatching}</g>
<rect x="424" y="82" width="120" height="144" stroke-width="2"/><g fill="var(--plate)" stroke="none">${perforation}${sides}</g>
<ellipse cx="484" cy="148" rx="40" ry="48" fill="var(--plate)" stroke-width="2"/><text x="484" y="168" text-anchor="middle" font-size="58" font-family="inherit" fill="currentColor" stroke="none">2d</text></g>
<circle cx="206" cy="146" r="56" fill="var(--plate)"/><circle cx="206" cy="146" r="48"/>${cancel}
<text x="206" y="140" text-anchor="middle" font-size="20" font-family="inherit" fill="currentColor" stroke="none">6 MAY</text><text x="206" y="164" text-anchor="middle" font-size="20" font-family="inherit" fill="currentColor" stroke="none">1840</text>`;
}

/** The stepped glass from the side, and what it does to the light of one lamp. */
function lens(): string {
  const steps = range(9).map((step) => {
    const far = 18 + step * 18;
    const slope = step * 2.6;
    return [-1, 1]
      .map(
        (side) =>
          `<path d="M300 ${200 + side * far}h${round(10 + slope)}q${round(10 - slope / 3)} ${side * -9} ${round(6 - slope / 4)} ${side * -16}H300z" fill="currentColor" fill-opacity=".1"/>`,
      )
      .join("");
  });
  const rays = range(19).map((ray) => {
    const y = 200 + (ray - 9) * 18;
    return `<path d="M132 200L300 ${y}"/><path d="M330 ${y}H616" opacity="${round(0.95 - Math.abs(ray - 9) * 0.06)}"/>`;
  });
  return `<g class="lamp" stroke-width="1.2">${rays.join("")}</g>${steps.join("")}
<path d="M300 196q34 4 30 4t-30 4z" fill="currentColor" fill-opacity=".12"/><path d="M300 24v352" stroke-width="2.6"/><path d="M292 24h34M292 376h34" stroke-width="2.6"/>
<path d="M112 236h40l8 60h-56zM104 296h56v14h-56z" fill="var(--plate)"/><path d="M132 310v66M92 376h80" stroke-width="2.4"/>
<g class="lamp"><path d="M132 236c-15-9-17-27-8-42 5-8 7-16 8-26 2 11 6 18 10 26 8 16 5 33-10 42z" fill="currentColor" stroke="none"/></g>`;
}

/** Columns of coins: what is asked, and the fee that stands on it. */
function coins(): string {
  const pile = (x: number, count: number, rx: number) =>
    range(count)
      .map((coin) => {
        const y = 330 - coin * 13;
        return `<path d="M${x - rx} ${y - 10}v10a${rx} ${rx * 0.26} 0 0 0 ${2 * rx} 0v-10" fill="var(--plate)"/><ellipse cx="${x}" cy="${y - 10}" rx="${rx}" ry="${round(rx * 0.26)}" fill="var(--plate)"/>`;
      })
      .join("");
  return `${path("M60 344h520", 1)}${range(5)
    .map((line) => path(`M60 ${294 - line * 56}h520`, 0.16))
    .join("")}
${pile(150, 20, 46)}${pile(276, 12, 46)}${pile(402, 6, 46)}<g class="lamp">${pile(528, 1, 46)}<path d="M528 300V96m-9 16l9-18 9 18" stroke-dasharray="2 7"/></g>`;
}

/** A street seen in section, with its houses, and below it what it forgot. */
function river(): string {
  const houses = range(9).map((house) => {
    const x = 34 + house * 64;
    const height = 66 + ((house * 37) % 48);
    const ground = 196 + Math.round(26 * Math.sin((house / 8) * Math.PI));
    const windows = range(2)
      .flatMap((column) =>
        range(3).map(
          (row) => `<path d="M${x + 13 + column * 20} ${ground - height + 16 + row * 22}h9v11h-9z"/>`,
        ),
      )
      .join("");
    return `<path d="M${x} ${ground}v${-height}l27-17 27 17v${height}"/><g opacity=".75">${windows}</g>`;
  });
  const strata = range(6)
    .map((layer) => path(`M20 ${230 + layer * 27}q300 ${74 - layer * 5} 600 0`, 0.26))
    .join("");
  const flow = range(6)
    .map((line) =>
      path(`M${262 + (line % 2) * 12} ${318 + line * 7}q14 -6 28 0t28 0t28 0${line < 4 ? "t28 0" : ""}`),
    )
    .join("");
  return `${houses.join("")}<path d="M20 196q300 60 600 0" stroke-width="2.4"/>${strata}
<path d="M238 372v-62a82 66 0 0 1 164 0v62z" fill="var(--plate)" stroke-width="2.4"/><path d="M226 372v-64a94 78 0 0 1 188 0v64" stroke-dasharray="14 4" opacity=".6"/>
<g class="lamp" stroke-width="2">${flow}</g><path d="M302 228h36M308 228v16M320 228v16M332 228v16" stroke-width="2"/>`;
}

function spokeLine(x: number, y: number, from: number, to: number, turn: number): string {
  const angle = turn * 2 * Math.PI;
  const at = (radius: number) =>
    `${round(x + radius * Math.cos(angle))} ${round(y + radius * Math.sin(angle))}`;
  return `<path d="M${at(from)}L${at(to)}"/>`;
}

function path(d: string, opacity = 1): string {
  return `<path d="${d}"${opacity === 1 ? "" : ` opacity="${opacity}"`}/>`;
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
