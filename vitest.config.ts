import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{platform,services,main,renderer,tools,benchmarks}/**/*.test.{ts,tsx}'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Two cores: more workers only make the tests that start real databases time out.
    maxWorkers: 2,
  },
})
