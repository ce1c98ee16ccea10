// The borders of the tree: who may import whom. `docs/` and the READMEs explain the parts; this file holds them to it.

/** Tests, and the benches they stand on, put together what the product keeps apart. */
const test = '(\\.test\\.tsx?$|/testing/|^platform/sync/simulation/)'

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'platform-knows-no-domain',
      comment:
        'The platform carries every domain, on the desktop and on the Hub; it would carry only this one.',
      severity: 'error',
      // The simulation of sync plays whole laboratories by the real rules; no shipped code may import it.
      from: { path: '^platform/', pathNot: '^platform/sync/(simulation/|[^/]+\\.test\\.ts$)' },
      to: { path: '^(services|main|hub|renderer)/' },
    },
    {
      name: 'services-know-no-host',
      comment: 'The same service runs in the desktop app and in the Hub, so it may know neither.',
      severity: 'error',
      from: { path: '^services/' },
      to: { path: '^(main|hub|renderer)/' },
    },
    {
      name: 'services-meet-in-contracts',
      comment:
        "Another domain's code works on another database in another thread. Its contract says what may be asked, " +
        'and the gateway carries the question.',
      severity: 'error',
      from: { path: '^services/([^/]+)/', pathNot: test },
      to: { path: '^services/', pathNot: ['^services/$1/', '^services/[^/]+/contract\\.ts$'] },
    },
    {
      name: 'domain-rules-are-pure',
      comment:
        'Rules of the laboratory are computed from their arguments alone: no files, no database, no clock. That is ' +
        'what lets a property test try a million of them.',
      severity: 'error',
      from: { path: '^services/[^/]+/domain/', pathNot: test },
      to: {
        pathNot: [
          '^services/[^/]+/(domain/|contract\\.ts$)',
          '^platform/contract/',
          // How rows come together is said in the vocabulary of sync, which is pure itself.
          '^platform/sync/(rules|change-set)\\.ts$',
          // Libraries that compute and do nothing else.
          'node_modules/(decimal\\.js|uuid|zod|csv-parse/lib/sync)',
        ],
      },
    },
    {
      name: 'workers-are-started-not-imported',
      comment: 'Importing a worker runs it in the importing thread.',
      severity: 'error',
      from: {},
      to: { path: '\\.worker\\.ts$' },
    },
    {
      name: 'hosts-find-services-in-the-registry',
      comment: 'A new domain needs no edit outside its folder and the one list of services.',
      severity: 'error',
      from: { path: '^(main|hub)/', pathNot: test },
      to: { path: '^services/', pathNot: '^services/(registry|host|[^/]+/contract)\\.ts$' },
    },
    {
      name: 'hosts-stand-apart',
      comment:
        'Desktop and Hub are two programs; what both need belongs to the platform or stands beside the registry.',
      severity: 'error',
      from: { path: '^(main|hub)/', pathNot: test },
      to: { path: '^(main|hub)/', pathNot: '^$1/' },
    },
    {
      name: 'electron-stays-in-its-folder',
      comment:
        'Everything else runs on plain Node too: in worker threads, the headless workstation, and the Hub.',
      severity: 'error',
      from: { pathNot: '^(main/electron|e2e)/' },
      to: { path: ['^electron($|/)', 'node_modules/electron/', '^main/electron/'] },
    },
    {
      name: 'devices-know-no-domain',
      comment:
        'Drivers run in a process of their own that may crash. They turn bytes into readings and know no sample.',
      severity: 'error',
      from: { path: '^main/devices/', pathNot: test },
      to: { path: '^(services/|main/(?!devices/))' },
    },
    {
      name: 'renderer-sees-contracts-only',
      comment: 'The renderer is sandboxed, and the same build runs in a browser against the Hub.',
      severity: 'error',
      from: { path: '^renderer/', pathNot: test },
      to: {
        pathNot: [
          '^renderer/',
          '^services/[^/]+/contract\\.ts$',
          '^platform/contract/',
          '^platform/(gateway|sync)/contract\\.ts$',
          '^main/devices/contract\\.ts$',
          'node_modules/',
        ],
      },
    },
    {
      name: 'shipped-code-needs-no-development-package',
      comment: 'The packaged app holds `dependencies` only; the rest would be missing at the first start.',
      severity: 'error',
      from: { path: '^(main|platform|services)/', pathNot: [test, '^main/electron/'] },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'shipped-code-needs-no-tooling',
      comment: 'Tools, benchmarks and tests look at the product; the product never looks at them.',
      severity: 'error',
      from: { path: '^(main|platform|services|renderer|hub)/', pathNot: test },
      to: { path: ['^(tools|benchmarks|e2e)/', test] },
    },
    {
      name: 'no-cycles',
      comment: 'Modules in a circle start in an order nobody chose and can only be understood all at once.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'imports-lead-somewhere',
      comment: 'A missing file or package shows here, not at the first click.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: {
      path: '^(benchmarks/pouchdb|out|dist|build|drizzle|coverage|demo-report|test-results|playwright-report|[.][^./][^/]*)/',
    },
    // Type imports count: whoever needs to know a type of the other side depends on it.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
