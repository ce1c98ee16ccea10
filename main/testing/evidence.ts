import { spawnSync } from 'node:child_process'
import { isDeepStrictEqual } from 'node:util'
import { join, resolve } from 'node:path'
import Database from 'better-sqlite3'
import { z } from 'zod'
import { verifyJournal, VERIFY_EXIT_STATUS } from '../../platform/journal/verify-journal.ts'
import type { Beliefs, Bench, Tube } from './laboratory-load.ts'
import { insist, type Ledger } from './ledger.ts'
import type { SeededRandom } from './seeded-random.ts'

const verifier = resolve(import.meta.dirname, '../../tools/verify-journal.py')

/** How many tubes and repeated commands are looked at one by one; everything that can be counted is counted whole. */
export interface Thoroughness {
  readonly tubes: number
  readonly repeats: number
}

/**
 * Holds a running workstation against what it confirmed: every tube, note, amount, place and code once and as it was
 * told, repeats answered as the first time, and the laboratory's invariants. Gives what contradicts, in words.
 */
export async function findContradictions(
  bench: Bench,
  beliefs: Beliefs,
  ledger: Ledger<Bench>,
  random: SeededRandom,
  thoroughness: Thoroughness,
): Promise<readonly string[]> {
  const found: string[] = [...ledger.defects]
  const tubes = draw(beliefs.tubes, thoroughness.tubes, random)
  const repeats = draw([...ledger.acknowledged.values()], thoroughness.repeats, random)
  const held = await heldDonors(bench)
  for (const tube of tubes) found.push(...(await compareTube(bench, tube, held)))
  for (const { command, answer } of repeats) {
    const again = await insist(() => command.send(bench))
    if (!isDeepStrictEqual(again, answer))
      found.push(`${command.label} ${command.key} answers differently now`)
  }
  found.push(...(await compareBoxes(bench, beliefs)))
  found.push(...(await compareCodes(bench, beliefs)))
  found.push(...(await compareSamples(bench, beliefs)))
  return found
}

/** Donors that were written, do not go together with what is at the Hub, and wait for a person to decide. */
async function heldDonors(bench: Bench): Promise<ReadonlySet<string>> {
  const { items } = await insist(() => bench.sync.workItems({}))
  const changes = items.flatMap(({ pushed }) => pushed?.changes ?? [])
  return new Set(changes.flatMap(({ values }) => values['donor'] ?? []))
}

async function compareTube(bench: Bench, tube: Tube, held: ReadonlySet<string>): Promise<readonly string[]> {
  const [container, sample, custody, timeline, history] = await Promise.all([
    insist(() => bench.storage.getContainer({ id: tube.containerId })),
    insist(() => bench.samples.get({ id: tube.sampleId })),
    insist(() => bench.samples.custody({ id: tube.sampleId })),
    insist(() => bench.samples.timeline({ id: tube.sampleId, limit: 500 })),
    insist(() => bench.storage.history({ containerId: tube.containerId, limit: 500 })),
  ])
  const place = container.place ?? container.reservedPlace
  const notes = timeline.items.flatMap(({ lane, detail }) => (lane === 'note' ? [detail['note']] : []))
  const written = timeline.items.flatMap(({ what, detail }) => (what === 'updated' ? [detail['donor']] : []))
  const taken = tube.donors.filter((donor) => !held.has(donor))
  // Of a shared tube nobody knows whose word came to the Hub last.
  const last = tube.isShared && taken.includes(sample.donor ?? '') ? sample.donor : (taken.at(-1) ?? null)
  return differences(tube.code, [
    ['state of its container', container.state, tube.state],
    ['place', place && { boxId: place.boxId, position: place.position }, tube.place],
    ['volume', Number(sample.volumeUl), tube.volumeUl],
    ['code', sample.code, tube.code],
    ['donor', sample.donor, last],
    [
      'donors that are neither in its history nor wait',
      taken.filter((donor) => !written.includes(donor)),
      [],
    ],
    ['notes', [...notes].sort(), [...tube.notes].sort()],
    ['custody', custody.problems, []],
    ['breaks in its history', history.items.filter(({ broken }) => broken !== null), []],
  ])
}

/** Each box holds what was put there, one in each position, and its capacity equals a recount. */
async function compareBoxes(bench: Bench, beliefs: Beliefs): Promise<readonly string[]> {
  const found: string[] = []
  for (const boxId of beliefs.boxIds) {
    const { positions, box, contested } = await insist(() => bench.storage.boxMap({ boxId }))
    const kept = positions.flatMap(({ label, container }) =>
      container === null ? [] : [`${label} ${container.id}`],
    )
    const believed = beliefs.tubes.flatMap(({ place, containerId }) =>
      place?.boxId === boxId ? [`${place.position} ${containerId}`] : [],
    )
    found.push(
      ...differences(box.name, [
        ['content', [...kept].sort(), [...believed].sort()],
        ['number of containers', new Set(kept.map((each) => each.split(' ')[1])).size, kept.length],
        ['contested positions', contested, []],
        ['capacity', box.capacity.available, positions.filter(({ state }) => state === 'available').length],
      ]),
    )
  }
  const { differences: miscounted } = await insist(() => bench.storage.capacityCheck())
  return [...found, ...miscounted.map(({ words }) => words)]
}

async function compareCodes(bench: Bench, beliefs: Beliefs): Promise<readonly string[]> {
  const codes = await collect((cursor) => bench.barcodes.list({ limit: 500, ...cursor }))
  const texts = codes.map(({ text }) => text)
  const linked = codes.filter(({ state, thing }) => state === 'linked' && thing?.kind === 'container')
  return differences('Codes', [
    ['number of distinct ones', new Set(texts).size, texts.length],
    [
      'those given out',
      texts.filter((text) => beliefs.looseCodes.includes(text)).length,
      beliefs.looseCodes.length,
    ],
    [
      'those on tubes',
      linked.map(({ text, thing }) => `${text} ${thing?.id ?? ''}`).sort(),
      beliefs.tubes
        .flatMap(({ code, furtherCodes, containerId }) =>
          [code, ...furtherCodes].map((text) => `${text} ${containerId}`),
        )
        .sort(),
    ],
  ])
}

async function compareSamples(bench: Bench, beliefs: Beliefs): Promise<readonly string[]> {
  const kept = await collect((cursor) => bench.samples.list({ limit: 500, ...cursor }))
  const containers = await collect((cursor) => bench.storage.listContainers({ limit: 500, ...cursor }))
  const open = await insist(() => bench.samples.sagas({ open: true }))
  return differences('Laboratory', [
    ['samples', kept.map(({ id }) => id).sort(), beliefs.tubes.map(({ sampleId }) => sampleId).sort()],
    [
      'containers',
      containers.map(({ id }) => id).sort(),
      beliefs.tubes.map(({ containerId }) => containerId).sort(),
    ],
    ['unfinished work across domains', open, []],
  ])
}

async function collect<Item>(
  read: (cursor: { readonly cursor?: string }) => Promise<{
    readonly items: readonly Item[]
    readonly nextCursor: string | null
  }>,
): Promise<readonly Item[]> {
  const items: Item[] = []
  let cursor: { readonly cursor?: string } = {}
  for (;;) {
    const page = await insist(() => read(cursor))
    items.push(...page.items)
    if (page.nextCursor === null) return items
    cursor = { cursor: page.nextCursor }
  }
}

function differences(
  what: string,
  comparisons: readonly (readonly [name: string, found: unknown, expected: unknown])[],
): readonly string[] {
  return comparisons.flatMap(([name, found, expected]) =>
    isDeepStrictEqual(found, expected)
      ? []
      : [`${what}: ${name} is ${abridge(found)}, expected was ${abridge(expected)}`],
  )
}

function abridge(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 400 ? `${text.slice(0, 400)}… (${text.length} characters)` : text
}

function draw<T>(all: readonly T[], count: number, random: SeededRandom): readonly T[] {
  if (all.length <= count) return all
  return Array.from({ length: count }, () => random.pick(all))
}

const Payload = z.object({
  entry: z.object({ domain: z.string(), kind: z.string() }),
  body: z.object({
    command: z.object({ idempotencyKey: z.string().nullable() }).optional(),
    events: z.array(z.object({ name: z.string(), data: z.unknown() })).default([]),
  }),
})
export type JournalPayload = z.infer<typeof Payload>

/** Everything a journal file says, in order. Only for a workstation that does not run. */
export function readJournal(home: string): readonly JournalPayload[] {
  const file = new Database(join(home, 'journal.sqlite'), { fileMustExist: true })
  try {
    const rows = file.prepare<[], string>('SELECT payload FROM journal_entry ORDER BY sequence').pluck().all()
    return rows.map((row) => Payload.parse(JSON.parse(row)))
  } finally {
    file.close()
  }
}

/** Commands that were confirmed and are not in the journal, or that are there twice. */
export function findUnjournaled(home: string, ledger: Ledger<Bench>): readonly string[] {
  const found: string[] = []
  const keys = new Set<string>()
  const commands = new Set<string>()
  for (const { entry, body } of readJournal(home)) {
    const key = body.command?.idempotencyKey
    if (key == null) continue
    const each = `${entry.domain} ${key}`
    if (keys.has(each)) found.push(`${each} is in the journal twice`)
    keys.add(each)
    // A command of several changes has a key for each below its own.
    commands.add(each.split('/')[0] ?? each)
  }
  for (const { command } of ledger.acknowledged.values())
    if (!commands.has(`${command.label.split('.')[0] ?? ''} ${command.key}`))
      found.push(`${command.label} ${command.key} was confirmed and is not in the journal`)
  return found
}

/** The exit status of both verifiers, ours and the one in Python, which must agree. */
export function verifyTwice(
  home: string,
  expectedHead?: { readonly sequence: number; readonly domain: string; readonly domainSequence: number },
): { readonly status: number; readonly words: readonly string[] } {
  const path = join(home, 'journal.sqlite')
  const heads = expectedHead === undefined ? [] : [expectedHead]
  const ours = verifyJournal(path, { heads })
  const arguments_ = expectedHead === undefined ? [] : ['--expect-head', String(expectedHead.sequence)]
  const python = spawnSync('python3', [verifier, path, ...arguments_], { encoding: 'utf8' })
  const status = VERIFY_EXIT_STATUS[ours.status]
  const words = [...ours.problems, python.stdout.trim()]
  if (python.status !== status)
    throw new Error(`The verifiers disagree: ${status} and ${String(python.status)}. ${words.join(' ')}`)
  return { status, words }
}
