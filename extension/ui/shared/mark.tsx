/** The mark: two coins, one in front of the other, in a thin ring. Takes the colour of its surroundings. */
export function Mark({ size = 24 }: { readonly size?: number }) {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <circle cx="12" cy="12" r="11.25" stroke="currentColor" stroke-width="1" />
      <circle cx="9.4" cy="12" r="4.4" fill="currentColor" />
      <path
        d="M14.6 7.6a4.4 4.4 0 1 1-1.7 8.46 6 6 0 0 0 0-8.12 4.4 4.4 0 0 1 1.7-.34Z"
        fill="currentColor"
        opacity="0.55"
      />
    </svg>
  );
}
