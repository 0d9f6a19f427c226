/** The mark: two coins, one in front of the other, in a thin ring. Takes the colour of its surroundings. */
export function Mark({ size = 24 }: { readonly size?: number }) {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 24 24" fill="none" aria-hidden="true">
      <circle cx="12" cy="12" r="11.3" stroke="currentColor" stroke-width="1" />
      <circle cx="14.7" cy="12" r="4.9" fill="currentColor" opacity="0.45" />
      <circle cx="9.3" cy="12" r="4.9" fill="currentColor" />
    </svg>
  );
}
