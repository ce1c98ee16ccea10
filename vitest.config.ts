import { configDefaults, defineConfig } from 'vitest/config'

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
        },
      },
      {
        // The parity suite: what the Bench does on PGlite, the Hub must do on PostgreSQL. The tests are the same files.
        extends: true,
        test: {
          name: 'postgres',
          include: ['services/*/*.test.ts', 'platform/database/*.test.ts', 'platform/service/*.test.ts'],
          exclude: [
            ...configDefaults.exclude,
            // These are about PGlite's files, fsync and housekeeping; a server sees to all three by itself.
            'platform/database/pglite-*.test.ts',
          ],
          globalSetup: ['platform/database/testing/postgres-server.ts'],
        },
      },
    ],
  },
})
