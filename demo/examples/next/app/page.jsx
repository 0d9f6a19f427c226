import Script from "next/script";

/** What everybody reads. The rest is fetched from the route when it was paid for, so it is in no page and no bundle. */
export default function Tides() {
  return (
    <main>
      <p className="about">My Paper</p>
      <h1>Tides</h1>
      <p>
        The sea comes in twice a day. The moon goes round once. Whoever has waited on a mud bank for the water
        has had the time to wonder about that.
      </p>
      <tuppence-paywall src="/api/articles/tides" />
      {/* After React has gone over the page: it throws away what it finds in an element that it left empty. */}
      <Script type="module" src="/tuppence.js" />
    </main>
  );
}
