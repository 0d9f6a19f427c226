/** A piece of a browser's toolbar, the other way round where one reads from the right: the puzzle piece, our mark, its pin. */
export function PinPicture() {
  return (
    <svg class="pin-picture directional" viewBox="0 0 168 72" fill="none" aria-hidden="true">
      <rect x="0.5" y="0.5" width="167" height="71" rx="12" class="pin-ground" />
      <rect x="14" y="14" width="92" height="16" rx="8" class="pin-field" />
      <path
        class="pin-puzzle"
        d="M133 15.5a2.5 2.5 0 0 1 5 0V17h3.5a1.5 1.5 0 0 1 1.5 1.5V22h1.5a2.5 2.5 0 0 1 0 5H143v3.5a1.5 1.5 0 0 1-1.5 1.5h-11a1.5 1.5 0 0 1-1.5-1.5V27h1.5a2.5 2.5 0 0 0 0-5H129v-3.5a1.5 1.5 0 0 1 1.5-1.5h2.5v-1.5Z"
        transform="translate(1 -2)"
      />
      <g class="pin-mark" transform="translate(20 42)">
        <circle cx="9" cy="9" r="8.5" stroke="currentColor" />
        <circle cx="7" cy="9" r="3.4" fill="currentColor" />
        <path
          d="M11 5.7a3.4 3.4 0 1 1-1.3 6.53 4.6 4.6 0 0 0 0-6.26A3.4 3.4 0 0 1 11 5.7Z"
          fill="currentColor"
          opacity="0.55"
        />
      </g>
      <rect x="46" y="48" width="58" height="6" rx="3" class="pin-field" />
      <path class="pin-pin" d="M138 42.5h-6l.8 6.5-2.3 3h9l-2.3-3 .8-6.5ZM135 52v5.5" />
    </svg>
  );
}
