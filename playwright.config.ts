import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  // One app at a time: each test owns a data directory, a window and a share of two cores.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  // A test that needs a second try hides a race in a program that must not have one.
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  globalTimeout: 15 * 60_000,
  reporter: 'list',
  use: { trace: 'retain-on-failure', screenshot: 'only-on-failure' },
  projects: [{ name: 'electron' }],
})
