import { configDefaults, defineConfig } from 'vitest/config'

/** Tests that take minutes. They have a command of their own. */
const long = ['main/crash.test.ts', 'main/growth.test.ts', 'services/templates/imports.test.ts']

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
          exclude: [...configDefaults.exclude, ...long],
        },
      },
      {
        // Kills, damage and growth under load: minutes each, by `npm run soak`.
        extends: true,
        test: { name: 'soak', include: long },
      },
      {
        // The parity suite: what the Bench does on PGlite, the Hub must do on PostgreSQL. The tests are the same files.
        extends: true,
        test: {
          name: 'postgres',
          include: [
            'services/{auth,barcodes,storage,templates}/service.test.ts',
            'services/samples/{service,receive,finding,interruption}.test.ts',
            'platform/database/{domain-database,snapshot}.test.ts',
          ],
          setupFiles: ['platform/database/testing/use-postgres.ts'],
          globalSetup: ['platform/database/testing/postgres-server.ts'],
        },
      },
    ],
  },
})
