/** The looks. A constructed style sheet, because a strict Content-Security-Policy refuses style elements. */

const CSS = `
:host{display:block;margin-block:2em;font:inherit;color:inherit;--_accent:var(--tuppence-accent,light-dark(#17594a,#8ed8bd));--_on-accent:var(--tuppence-on-accent,light-dark(#fff,#06231b))}
:host(tuppence-tip){display:inline-block;margin:0;max-width:100%}
:host([hidden]){display:none}
:host([state=open]){display:contents}
div{box-sizing:border-box;font-family:var(--tuppence-font,inherit);padding:var(--tuppence-padding,1.6em 1.5em 1.5em);text-align:center;border:1px solid color-mix(in srgb,currentColor 16%,transparent);border-radius:var(--tuppence-radius,12px);background:var(--tuppence-background,color-mix(in srgb,currentColor 3.5%,transparent))}
:host(tuppence-tip) div{padding:0;border:0;background:none}
button{font:inherit;font-weight:600;line-height:1.2;color:var(--_on-accent);background:var(--_accent);border:0;border-radius:99px;padding:.8em 1.7em;cursor:pointer;min-height:44px;max-width:100%;font-variant-numeric:lining-nums;transition:.12s}
button:hover{filter:brightness(1.1)}
button:active{transform:translateY(1px)}
button:focus-visible{outline:3px solid color-mix(in srgb,var(--_accent) 55%,transparent);outline-offset:3px}
button[aria-disabled=true]{cursor:progress;opacity:.72;filter:none}
button[aria-disabled=true]::before{content:"";display:inline-block;width:.75em;height:.75em;margin-inline-end:.6em;vertical-align:-.06em;border:2px solid;border-inline-end-color:transparent;border-radius:50%;animation:turn .8s linear infinite}
p{margin:.85em auto 0;max-width:34em;font-size:.86em;line-height:1.5;opacity:.78;text-wrap:balance}
p:empty{display:none}
:host([state=asking]) p,:host([state=opening]) p{visibility:hidden}
:host([state=error]) p,:host([state=no-wallet]) p{opacity:1}
a{color:inherit}
@keyframes turn{to{rotate:1turn}}
@media (prefers-reduced-motion:reduce){button,button::before{animation:none!important;transition:none}}
@media print{button{display:none}}
`;

let sheet: CSSStyleSheet | undefined;

export function styleSheet(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}
