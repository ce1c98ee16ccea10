import { configDefaults, defineConfig } from 'vitest/config'

/** Kills, damage, growth and whole networks. They start workstations and Hubs, which need all there is of the machine. */
const crash = ['main/crash.test.ts', 'main/growth.test.ts', 'main/sync/*.test.ts']
/** One workstation at a time; what it lives through cannot be lived through again, so nothing is repeated. */
const aloneAndOnce = { fileParallelism: false, maxWorkers: 1, retry: 0, sequence: { groupOrder: 1 } }
/** Tests that take minutes. They have a command of their own. */
const long = ['services/templates/long-manifest.test.ts']

/** It is about PostgreSQL and nothing else. */
const onPostgresOnly = ['platform/database/postgres-engine.test.ts']

/** What they measure or damage is PGlite's own. */
const onPgliteOnly = [
  'services/samples/finding-plans.test.ts',
  'services/barcodes/finding.test.ts',
  'services/auth/secrets.test.ts',
]

/** What the person who starts the tests has set. */
function chosen(...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores: more workers only make the tests that start real databases time out.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{platform,services,main,renderer,tools,benchmarks}/**/*.test.{ts,tsx}'],
          exclude: [...configDefaults.exclude, ...crash, ...long, ...onPostgresOnly],
        },
      },
      {
        extends: true,
        // Starting and waiting for each other take turns: two files at a time keep both cores busy.
        test: { name: 'crash', include: crash, sequence: { groupOrder: 1 } },
      },
      {
        // The same for long, by `npm run soak`.
        extends: true,
        test: {
          name: 'soak',
          include: [...crash, ...long],
          env: {
            TRACSEQ_KILLS: '50',
            TRACSEQ_COMMANDS: '100000',
            TRACSEQ_SYNC_ROUNDS: '20',
            ...chosen('TRACSEQ_KILLS', 'TRACSEQ_COMMANDS', 'TRACSEQ_SYNC_ROUNDS', 'TRACSEQ_SEED'),
          },
          ...aloneAndOnce,
          sequence: { groupOrder: 2 },
        },
      },
      {
        // The parity suite: what the Bench does on PGlite, the Hub must do on PostgreSQL. The tests are the same files.
        extends: true,
        test: {
          name: 'postgres',
          include: [
            'services/*/*.test.ts',
            'platform/database/{domain-database,snapshot}.test.ts',
            ...onPostgresOnly,
            'hub/**/*.test.ts',
          ],
          exclude: [...configDefaults.exclude, ...long, ...onPgliteOnly],
          setupFiles: ['platform/database/testing/use-postgres.ts'],
          globalSetup: ['platform/database/testing/postgres-server.ts'],
        },
      },
    ],
  },
})
