// `npm test`: sets up what is missing and runs every check there is, each to its end even when an earlier one
// fails. The last line is `N passed, N failed`; `, N skipped` may follow.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cache, projectEnvironment, run } from './processes.mjs'
import { setUp } from './setup.mjs'
import { countPlaywright, countVitest } from './test-counts.mjs'

const unitReport = join(cache, 'test-report', 'vitest.json')
const endToEndReport = join(cache, 'test-report', 'playwright.json')

/**
 * Each stage is an npm script, so that a person can repeat it alone. Without a report to count from, a stage is one
 * test. `minutes` is its deadline: a hanging test fails the run, and does not hold it up for ever.
 */
const lint = { name: 'lint', script: 'lint', minutes: 10 }
/** What the other core does while the code is linted, which takes the longest. */
const besideLint = [
  { name: 'format', script: 'format:check', minutes: 5 },
  { name: 'types', script: 'typecheck', minutes: 8 },
  { name: 'borders', script: 'borders', minutes: 5 },
  { name: 'unused code', script: 'unused', minutes: 5 },
]
const stages = [
  {
    name: 'unit and integration',
    script: 'test:unit',
    args: ['--reporter=default', '--reporter=json', `--outputFile.json=${unitReport}`],
    report: unitReport,
    count: countVitest,
    environment: {
      // Every test file and every process they start loads the same modules again: compiled once is enough.
      NODE_COMPILE_CACHE: join(cache, 'compiled'),
      ...(process.stdout.isTTY ? {} : { NO_COLOR: '1' }),
    },
    minutes: 55,
  },
  { name: 'build', script: 'build', minutes: 10 },
  {
    name: 'end to end',
    script: 'e2e',
    args: ['--reporter=list,json'],
    report: endToEndReport,
    count: countPlaywright,
    environment: { PLAYWRIGHT_JSON_OUTPUT_FILE: endToEndReport },
    minutes: 20,
  },
]
// On two quiet cores the whole takes about 35 minutes; a busy machine may take its time, a hanging test may not.
const minutesForAll = 80

const startedAt = Date.now()
const results = []

try {
  await setUp('test')
  mkdirSync(join(cache, 'test-report'), { recursive: true })
  const lanes = [[lint], besideLint].map((lane) => runInTurn(lane, { quiet: true }))
  results.push(...(await Promise.all(lanes)).flat(), ...(await runInTurn(stages, { quiet: false })))
} catch (error) {
  console.error(`setup: ${error.message}`)
  results.push({ name: 'setup', passed: 0, failed: 1, skipped: 0, seconds: secondsSince(startedAt) })
}
printSummary()

async function runInTurn(lane, how) {
  const done = []
  for (const stage of lane) done.push(await runStage(stage, how))
  return done
}

/** A quiet stage says what it has to say when it is over, so that two of them do not talk at once. */
async function runStage({ name, script, args = [], report, count, environment, minutes }, { quiet }) {
  const title = `\n── ${name} ${'─'.repeat(Math.max(0, 70 - name.length))}`
  if (!quiet) console.log(title)
  const stageStartedAt = Date.now()
  const secondsLeft = minutesForAll * 60 - secondsSince(startedAt)
  if (secondsLeft < 10) {
    console.log(`not run: the ${minutesForAll} minutes for all stages are used up`)
    return { name, passed: 0, failed: 1, skipped: 0, seconds: 0 }
  }

  if (report) rmSync(report, { force: true })
  const { status, timedOut, output } = await run('npm', ['run', '--silent', script, '--', ...args], {
    seconds: Math.min(minutes * 60, secondsLeft),
    quiet,
    environment: projectEnvironment(environment),
  })
  if (quiet) console.log(`${title}\n${output}`)
  if (timedOut) console.log(`${name}: stopped at its deadline`)
  const counts = report ? readCounts(report, count) : { passed: status === 0 ? 1 : 0, failed: 0, skipped: 0 }
  // A runner that fails for another reason than a test (it crashed, it timed out) has failed all the same.
  if (status !== 0 && counts.failed === 0) counts.failed = 1
  return { name, ...counts, seconds: secondsSince(stageStartedAt) }
}

function readCounts(report, count) {
  if (!existsSync(report)) {
    console.log('the test runner left no report')
    return { passed: 0, failed: 1, skipped: 0 }
  }
  const counts = count(JSON.parse(readFileSync(report, 'utf8')))
  if (counts.passed + counts.failed === 0) {
    console.log('no tests found')
    counts.failed = 1
  }
  return counts
}

function printSummary() {
  console.log(`\n── summary ${'─'.repeat(63)}`)
  for (const { name, passed, failed, skipped, seconds } of results) {
    const mark = failed === 0 ? 'ok    ' : 'FAILED'
    const skips = skipped === 0 ? '' : `, ${skipped} skipped`
    console.log(
      `${mark}  ${name.padEnd(22)} ${passed} passed, ${failed} failed${skips} (${Math.round(seconds)} s)`,
    )
  }
  const sum = (key) => results.reduce((total, result) => total + result[key], 0)
  const skips = sum('skipped') === 0 ? '' : `, ${sum('skipped')} skipped`
  process.exitCode = sum('failed') === 0 ? 0 : 1
  console.log(`${sum('passed')} passed, ${sum('failed')} failed${skips}`)
}

function secondsSince(instant) {
  return (Date.now() - instant) / 1000
}
