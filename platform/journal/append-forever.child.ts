import { writeSync } from 'node:fs'
import { makeEntry, testOptions } from './test-entries.ts'
import { startJournal } from './start-journal.ts'

/**
 * A process for the crash tests: appends without end from several domains at once and prints one JSON line for every
 * entry it was told is on disk, and for every change of the journal's state.
 */
const home = process.argv[2]
if (home === undefined) throw new Error('usage: append-forever.child.ts HOME')

const { client } = await startJournal(testOptions(home))
client.onState((state) => print({ state }))
await Promise.all(['samples', 'storage', 'barcodes'].map(appendForever))

async function appendForever(domain: string): Promise<void> {
  let next = ((await client.domainHead(domain))?.domainSequence ?? 0) + 1
  for (;;) {
    try {
      const results = await Promise.all(
        Array.from({ length: 5 }, (_, index) =>
          client.append(
            makeEntry(domain, next + index, {}, { filling: 'x'.repeat(((next + index) * 37) % 3000) }),
          ),
        ),
      )
      results.forEach((result, index) => print({ domain, domainSequence: next + index, ...result }))
      next += 5
    } catch (error) {
      print({ failed: error instanceof Error ? error.message : String(error) })
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

function print(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`)
}
