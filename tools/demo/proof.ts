import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { readJournal } from '../../main/testing/evidence.ts'
import type { Placement } from './placements.ts'

const root = resolve(import.meta.dirname, '../..')

const Container = z.object({ id: z.string(), label: z.string() })
const Placed = z.object({ container_id: z.string(), position: z.string(), live: z.string() })
const PlacedEvent = z.object({ label: z.string(), to: z.string() })

/** What the databases of a home that is closed hold, by `tracseq export`. */
export interface Held {
  readonly samples: number
  readonly codes: readonly string[]
  readonly placements: readonly Placement[]
}

/** Exports a home that is closed, and reads the tables back. */
export function readDatabases(home: string, folder: string): Held {
  tracseq('export', '--home', home, '--to', folder, '--format', 'jsonl')
  const labels = new Map(
    readTable(folder, 'storage/container', Container).map(({ id, label }) => [id, label]),
  )
  return {
    samples: readTable(folder, 'samples/sample', z.object({ id: z.string() })).length,
    codes: readTable(folder, 'storage/container', Container).map(({ label }) => label),
    placements: readTable(folder, 'storage/placement', Placed)
      .filter(({ live }) => live === 'true')
      .map(({ container_id: id, position }) => ({ code: labels.get(id) ?? id, position })),
  }
}

/** Every placing and moving that the journal tells, in its order. */
export function readPlacementsInJournal(home: string): readonly Placement[] {
  return readJournal(home).flatMap(({ body }) =>
    body.events
      .filter(({ name }) => name === 'ContainerPlaced' || name === 'ContainerMoved')
      .map(({ data }) => {
        const { label, to } = PlacedEvent.parse(data)
        return { code: label, position: /[A-Z]+\d+$/.exec(to)?.[0] ?? to }
      }),
  )
}

/** Proves the journal with both verifiers, which share no code; their words are kept beside a copy of it. */
export function proveJournal(home: string, folder: string): string {
  const ours = tracseq('verify', '--home', home)
  writeFileSync(join(folder, 'verified-by-tracseq.txt'), ours)
  const copy = join(folder, 'journal.sqlite')
  for (const end of ['', '-wal']) {
    if (existsSync(join(home, `journal.sqlite${end}`)))
      cpSync(join(home, `journal.sqlite${end}`), `${copy}${end}`)
  }
  const second = spawnSync('python3', [join(root, 'tools/verify-journal.py'), copy], { encoding: 'utf8' })
  writeFileSync(join(folder, 'verified-by-python.txt'), `${second.stdout}${second.stderr}`)
  if (second.status !== 0) throw new Error(`tools/verify-journal.py: ${second.stdout}${second.stderr}`)
  return `tracseq verify: ${ours.trim()}\nverify-journal.py: ${second.stdout.trim()}`
}

function tracseq(...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'tools/tracseq.ts'), ...words], {
    encoding: 'utf8',
    timeout: 180_000,
  })
  if (status !== 0)
    throw new Error(`tracseq ${words[0] ?? ''} ended with ${String(status)}: ${stdout}${stderr}`)
  return stdout
}

function readTable<Row>(folder: string, table: string, shape: z.ZodType<Row>): readonly Row[] {
  const text = readFileSync(join(folder, `${table}.jsonl`), 'utf8')
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => shape.parse(JSON.parse(line)))
}
