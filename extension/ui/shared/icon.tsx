/** Line icons of one weight on a 20-unit grid. They only ever stand beside words, so they are hidden from screen readers. */
const PATHS = {
  alert: "M10 6v5M10 13.9v.1M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15Z",
  back: "M12 4.5 6.5 10l5.5 5.5",
  bell: "M10 3a4.5 4.5 0 0 0-4.5 4.5c0 4-1.5 5-1.5 5h12s-1.5-1-1.5-5A4.5 4.5 0 0 0 10 3ZM8.5 15.5a1.5 1.5 0 0 0 3 0",
  check: "m5 10.5 3.5 3.5L15 6.5",
  clock: "M10 6v4l2.5 2M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15Z",
  copy: "M7.5 7.5v-4h9v9h-4M3.5 7.5h9v9h-9z",
  eye: "M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5ZM10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z",
  flask: "M8 2.5h4M8.5 2.5v5L4 15.6a1.3 1.3 0 0 0 1.1 1.9h9.8a1.3 1.3 0 0 0 1.1-1.9L11.5 7.5v-5M6.1 12.5h7.8",
  gift: "M10 16.5S3 12.7 3 8a3.5 3.5 0 0 1 7-.8A3.5 3.5 0 0 1 17 8c0 4.7-7 8.5-7 8.5Z",
  key: "M12.5 3.5a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM9.6 10.3 3.5 16.5M5.5 14.5l2 2",
  lock: "M5 9h10v7.5H5zM7 9V6.5a3 3 0 0 1 6 0V9M10 12v1.5",
  offline:
    "M3 3l14 14M2.5 8.2A11 11 0 0 1 6 6M10 5a11 11 0 0 1 7.5 3.2M5.5 11.4a6.5 6.5 0 0 1 3-1.7M13.5 10.7l1 .7M10 14.9v.1",
  pause: "M7 4.5v11M13 4.5v11",
  search: "M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM13 13l4 4",
  chart: "M3 16.5h14M5.5 13.5v-4M10 13.5v-8M14.5 13.5v-6",
  forward: "M8 4.5 13.5 10 8 15.5",
  limit: "M10 16.5a7 7 0 1 1 7-7M10 9.5l3.5-3M6 16.5h8",
  shield: "M10 2.5 4 4.8v4.7c0 3.7 2.5 6.6 6 8 3.5-1.4 6-4.3 6-8V4.8L10 2.5ZM7.3 9.9l2 2 3.5-3.8",
} as const;

export type IconName = keyof typeof PATHS;

/** Those that point to where one reads on from. */
const DIRECTIONAL: readonly IconName[] = ["back"];

export function Icon({ name, size = 18 }: { readonly name: IconName; readonly size?: number }) {
  return (
    <svg
      class={DIRECTIONAL.includes(name) ? "directional" : undefined}
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
