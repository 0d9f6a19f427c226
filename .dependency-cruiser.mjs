// The table of imports: who may know of whom. Whoever needs a line here changed is about to change the architecture.
// In `mayImport`, every folder may also import itself; packages are not its business but for PACKAGES below.

const FOLDERS = [
  { name: "shared", from: "^shared/", mayImport: ["^shared/"] },
  {
    name: "content",
    from: "^extension/content/",
    mayImport: ["^extension/content/", "^shared/protocol/page\\.ts$", "^shared/(errors|money)\\.ts$"],
  },
  {
    name: "snippet",
    from: "^merchant/snippet/",
    // Nothing that is heavy: the snippet is carried into every page that sells something.
    mayImport: [
      "^merchant/snippet/",
      "^shared/protocol/page\\.ts$",
      "^shared/(errors|money|article|bytes|offer)\\.ts$",
    ],
  },
  { name: "wallet-core", from: "^wallet/core/", mayImport: ["^wallet/core/", "^shared/"] },
  {
    name: "wallet-provider",
    from: "^wallet/provider/",
    mayImport: ["^wallet/provider/", "^shared/"],
    types: "^wallet/core/",
  },
  { name: "wallet-node", from: "^wallet/node/", mayImport: ["^wallet/", "^shared/"] },
  { name: "wallet", from: "^wallet/[^/]+$", mayImport: ["^wallet/", "^shared/"] },
  {
    name: "store",
    from: "^extension/store/",
    mayImport: ["^extension/store/", "^shared/"],
    types: "^wallet/core/",
  },
  {
    name: "background",
    from: "^extension/background/",
    mayImport: ["^extension/(background|store)/", "^extension/platform\\.ts$", "^wallet/", "^shared/"],
  },
  {
    name: "ui",
    from: "^extension/ui/",
    // Of the store what the popup reads before the background is awake, and nothing else.
    mayImport: [
      "^extension/(ui|_locales)/",
      "^extension/platform\\.ts$",
      "^extension/store/last-balance\\.ts$",
      "^shared/",
    ],
  },
  { name: "platform", from: "^extension/[^/]+$", mayImport: ["^shared/"] },
  { name: "ledger", from: "^server/ledger/", mayImport: ["^server/ledger/", "^shared/"] },
  {
    name: "domain",
    from: "^server/(?!ledger/|cli/)([^/]+)/",
    // What every domain stands on: configuration, database, secrets, and the form of requests and answers.
    mayImport: [
      "^server/$1/",
      "^server/ledger/",
      "^server/[^/]+/index\\.ts$",
      "^server/(config|database|decode|errors|openapi|origins|secrets)\\.ts$",
      "^shared/",
    ],
  },
  // What composes the server: its main files and its commands.
  { name: "server", from: "^server/([^/]+$|cli/)", mayImport: ["^server/", "^shared/"] },
  { name: "merchant-server", from: "^merchant/server/", mayImport: ["^merchant/server/", "^shared/"] },
  { name: "merchant-cli", from: "^merchant/cli/", mayImport: ["^merchant/cli/", "^shared/", "^wallet/"] },
];

const PACKAGES = [
  { name: "dexie", importer: "^extension/store/" },
  { name: "webextension-polyfill", importer: "^extension/platform\\.ts$" },
  // Behind one interface, so that another version or another library changes one file.
  { name: "@cashu/cashu-ts", importer: "^wallet/core/cashu\\.ts$" },
];

/** What examples bring along themselves, installed by `npm run test:examples` only. */
const PACKAGES_OF_EXAMPLES = "^(astro|next|@x402/next)(/|$)";

const DEVELOPERS_FOLDERS = "^(test|bench|demo|scripts)/";
/** Tests and configurations of tools may compose whatever they like; nothing that ships imports them. */
const UNBOUND = ["\\.test\\.tsx?$", "(^|/)[^/]+\\.config\\.ts$", DEVELOPERS_FOLDERS];

export default {
  forbidden: [
    ...FOLDERS.flatMap(({ name, from, mayImport, types }) => [
      {
        name: `${name}-boundary`,
        severity: "error",
        comment: `may import only ${[...mayImport, types && `types of ${types}`].filter(Boolean).join("  ")}`,
        from: { path: from, pathNot: UNBOUND },
        to: { dependencyTypes: ["local"], pathNot: types ? [...mayImport, types] : mayImport },
      },
      ...(types
        ? [
            {
              name: `${name}-types-only`,
              severity: "error",
              comment: `of ${types} it may import types only`,
              from: { path: from, pathNot: UNBOUND },
              to: { path: types, dependencyTypesNot: ["type-only"] },
            },
          ]
        : []),
    ]),
    {
      name: "unknown-folder",
      severity: "error",
      comment:
        "a folder that the table does not know: give it a line in .dependency-cruiser.mjs and in the architecture",
      from: { path: "/", pathNot: [...UNBOUND, ...FOLDERS.map(({ from }) => from), "node_modules/"] },
      to: {},
    },
    {
      name: "nothing-imports-tests-and-tools",
      severity: "error",
      from: { pathNot: UNBOUND },
      to: { path: [DEVELOPERS_FOLDERS, "\\.test\\.tsx?$"] },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "resolvable",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: PACKAGES_OF_EXAMPLES },
    },
    ...PACKAGES.map(({ name, importer }) => ({
      name: `only-one-imports-${name}`,
      severity: "error",
      from: { pathNot: [importer, ...UNBOUND] },
      to: { path: `^(node_modules/)?(@types/)?${name}(/|$)` },
    })),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: ["^dist/", "^out/", "(^|/)environment\\.d\\.ts$", "/\\.(astro|next)/"] },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};
