import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'

/** What the demo did, a line for each step, with pictures of what was on the screen. */
export interface Report {
  readonly folder: string
  /** Does a step; its answer says in words what was measured. A step that throws is the last one. */
  step(name: string, work: () => Promise<string>): Promise<void>
  /** A numbered picture of the window as it is now. */
  picture(page: Page, name: string): Promise<void>
  /** Writes the report; the answer says whether every step held. */
  end(): boolean
}

interface Step {
  readonly name: string
  readonly held: boolean
  readonly words: string
  readonly seconds: number
  readonly pictures: readonly string[]
}

/** A step that did not hold; it has been reported. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed'
}

/** Begins a report in an empty folder. */
export function openReport(folder: string, say: (line: string) => void): Report {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const steps: Step[] = []
  let pictures: string[] = []
  let pictureCount = 0

  function add(name: string, held: boolean, words: string, startedAt: number): void {
    const seconds = Math.round((performance.now() - startedAt) / 100) / 10
    steps.push({ name, held, words, seconds, pictures })
    pictures = []
    const [first = '', ...more] = words.split('\n')
    say(`${held ? 'ok     ' : 'FAILED '} ${name}: ${first}`)
    for (const line of more) say(`          ${line}`)
  }

  return {
    folder,
    async step(name, work) {
      const startedAt = performance.now()
      try {
        add(name, true, await work(), startedAt)
      } catch (error) {
        add(name, false, error instanceof Error ? error.message : String(error), startedAt)
        throw new StepFailed(name)
      }
    },
    async picture(page, name) {
      pictureCount += 1
      const file = `${String(pictureCount).padStart(2, '0')}-${name}.png`
      // What flashes, turns or slides in comes to rest first.
      await page.waitForTimeout(500)
      await page.screenshot({ path: join(folder, file) })
      pictures.push(file)
    },
    end() {
      const held = steps.every((step) => step.held)
      writeFileSync(join(folder, 'report.json'), `${JSON.stringify({ held, steps }, null, 2)}\n`)
      writeFileSync(join(folder, 'report.md'), inMarkdown(held, steps))
      return held
    },
  }
}

function inMarkdown(held: boolean, steps: readonly Step[]): string {
  const parts = steps.map(({ name, held: did, words, seconds, pictures }) =>
    [
      `## ${did ? 'ok' : 'FAILED'}: ${name} (${String(seconds)} s)`,
      words
        .split('\n')
        .map((line, index) => (index === 0 ? line : `- ${line}`))
        .join('\n'),
      ...pictures.map((file) => `![${name}](${file})`),
    ].join('\n\n'),
  )
  const verdict = held ? 'Every step held.' : 'A step did not hold; the demo stopped there.'
  return `# TracSeq Bench, the main job\n\n${verdict}\n\n${parts.join('\n\n')}\n`
}
