import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Refusal } from '../../platform/contract/refusal.ts'
import {
  type Implementation,
  orchestrates,
  type Orchestrates,
  type ServiceDefinition,
  type Writes,
} from '../../platform/service/implementation.ts'
import { csv, openTemplatesBench, type TemplatesBench } from './testing/templates-bench.ts'

type Handler = Writes<never, unknown> | Orchestrates<never, unknown>

/** Where the line to another domain is cut: at the so-and-so-many-th call, before it did anything or after it did all. */
interface Cut {
  readonly procedure: string
  readonly call: number
  readonly when: 'before' | 'after'
}

let cut: Cut | null = null
let calls = 0

function meet(procedure: string, when: Cut['when']): void {
  if (cut?.procedure !== procedure) return
  if (when === 'before') calls += 1
  if (calls < cut.call || cut.when !== when) return
  if (when === 'before') throw new Refusal('NOT_STARTED', `${procedure} is away`, { why: 'test' })
  throw new Refusal('OUTCOME_UNKNOWN', `${procedure} did not answer`, { why: 'test' })
}

function cuttable(definition: ServiceDefinition): ServiceDefinition {
  if (definition.name === 'templates') return definition
  const names = ['receiveBatch', 'undoReceive', 'allocateFor']
  const implementation = Object.fromEntries(
    Object.entries(definition.implementation).map(([name, handler]) => {
      if (!names.includes(name)) return [name, handler]
      const inner = handler as Handler
      return [
        name,
        orchestrates(async (scope, input) => {
          meet(name, 'before')
          const answer =
            inner.does === 'writes'
              ? await scope.change('whole', (write) => inner.run(write, input as never))
              : await inner.run(scope, input as never)
          meet(name, 'after')
          return answer
        }),
      ]
    }),
  )
  return { ...definition, implementation: implementation as Implementation<ServiceDefinition['contract']> }
}

let on: TemplatesBench
beforeAll(async () => {
  on = await openTemplatesBench(cuttable)
})
afterAll(() => on.bench.close())

/** Rows without codes, so that nothing but the keys keeps them single; `wide` ones fill a batch by threes. */
function rowsOf(prefix: string, count: number, wide = false): string {
  const columns = Array.from({ length: wide ? 75 : 1 }, (_, index) => `Column ${index}`)
  const cells = columns.map(() => 'x'.repeat(wide ? 4_000 : 10))
  const rows = Array.from({ length: count }, (_, index) => [`${prefix}-${index}`, 'DNA', ...cells])
  return csv([['Client ID', 'Type', ...columns], ...rows])
}

async function interrupt(at: Cut, call: () => Promise<unknown>): Promise<void> {
  cut = at
  calls = 0
  try {
    await expect(call()).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  } finally {
    cut = null
  }
}

const samplesOf = async (importId: string) =>
  (await on.samples.list({ importId, limit: 100 })).items.map(({ name }) => name).toSorted()

describe('an import whose saving was interrupted', () => {
  it.each<Cut & { readonly count: number; readonly wide: boolean }>([
    { procedure: 'receiveBatch', call: 1, when: 'before', count: 5, wide: false },
    { procedure: 'receiveBatch', call: 2, when: 'after', count: 4, wide: true },
    { procedure: 'allocateFor', call: 3, when: 'before', count: 5, wide: false },
    { procedure: 'allocateFor', call: 3, when: 'after', count: 5, wide: false },
  ])(
    '$when call $call of $procedure, saves every row once when it is called again',
    async ({ count, wide, ...at }) => {
      const prefix = `${at.procedure}-${at.when}-${at.call}`
      const { id, summary } = await on.open(rowsOf(prefix, count, wide), `${prefix}.csv`)
      expect(summary).toMatchObject({ rows: count, good: count })
      await interrupt(at, () => on.templates.applyImport({ id }))
      const between = await on.templates.getImport({ id })
      const { good, saving, saved } = between.summary
      expect([between.state, good + saving + saved, saving > 0]).toEqual(['applying', count, true])
      await on.bench.restart()
      const applied = await on.templates.applyImport({ id })
      expect(applied).toMatchObject({ state: 'applied', summary: { good: 0, saving: 0, saved: count } })
      expect(await samplesOf(id)).toEqual(Array.from({ length: count }, (_, index) => `${prefix}-${index}`))
      const { rows } = await on.templates.importRows({ id })
      expect(new Set(rows.map(({ sampleId }) => sampleId)).size).toBe(count)
    },
    120_000,
  )

  it('is undone whole, also when that was interrupted', async () => {
    const { id } = await on.open(rowsOf('undo', 3), 'undo.csv')
    await on.templates.applyImport({ id })
    await interrupt({ procedure: 'undoReceive', call: 1, when: 'after' }, () =>
      on.templates.undoImport({ id, reason: 'Wrong file' }),
    )
    await on.bench.restart()
    const undone = await on.templates.undoImport({ id, reason: 'Wrong file' })
    expect(undone).toMatchObject({ import: { state: 'undone', summary: { saved: 0, undone: 3 } }, kept: [] })
    expect(await samplesOf(id)).toEqual([])
  }, 120_000)
})

it('tells all of an import again from the journal alone', async () => {
  const { id } = await on.open(
    csv([
      ['Client ID', 'Type', 'Volume'],
      ['journal-1', 'DNA', '10'],
      ['journal-2', 'DNAA', '10'],
      ['journal-3', 'DNA', '1,5'],
    ]),
    'journal.csv',
  )
  await on.templates.correctCells({
    id,
    corrections: [{ row: 4, fieldKey: 'volumeUl', value: '1.5' }],
  })
  await on.templates.applyImport({ id })
  const before = [await on.templates.getImport({ id }), await on.templates.importRows({ id })]
  await on.bench.restart({ losing: ['templates'] })
  expect([await on.templates.getImport({ id }), await on.templates.importRows({ id })]).toEqual(before)
}, 120_000)

it('writes no defect into the log but that work was left to be done', () => {
  expect(
    on.bench.logs.filter(({ type, ...log }) => type !== 'log' || !('level' in log) || log.level !== 'warn'),
  ).toEqual([])
})
