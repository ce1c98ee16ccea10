import { existsSync } from 'node:fs'
import { defineConfig, type LaunchOptions } from '@playwright/test'

/** The system's Chromium, which `tools/setup.mjs` installs; elsewhere the one that Playwright brings. */
function browserOnThisMachine(): LaunchOptions {
  const path = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((each) => existsSync(each))
  // Chromium refuses to run as root within its sandbox.
  const asRoot = process.getuid?.() === 0 ? { chromiumSandbox: false } : {}
  return path === undefined ? asRoot : { executablePath: path, ...asRoot }
}

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results',
  // One app and one browser at a time: each owns a data directory, a window and a core.
  workers: 2,
  fullyParallel: false,
  forbidOnly: true,
  // A test that needs a second try hides a race in a program that must not have one.
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  globalTimeout: 15 * 60_000,
  reporter: 'list',
  use: { trace: 'retain-on-failure', screenshot: 'only-on-failure', launchOptions: browserOnThisMachine() },
  projects: [
    { name: 'electron', testIgnore: 'hub-*.test.ts', workers: 1 },
    { name: 'browser', testMatch: 'hub-*.test.ts', workers: 1 },
  ],
})
