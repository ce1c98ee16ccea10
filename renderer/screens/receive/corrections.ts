import { ImportId, type ImportRow } from '../../../services/templates/contract.ts'
import { api, client, queries } from '../../client.ts'
import { i18n } from '../../i18n.ts'
import { problemWords } from '../../problem.ts'
import { scanEngine } from '../../scan/scanning.ts'
import { readAllRows } from './sheet-reading.ts'
import { cellText, type SheetColumn } from './sheet-columns.ts'

const t = i18n.getFixedT(null, 'receive')
const cellsPerCall = 5_000

/** A cell that gets another value; `before` is what the person saw there. */
export interface Edit {
  readonly row: number
  readonly column: SheetColumn
  readonly before: string
  readonly value: string
}

type Decisions = Omit<Parameters<typeof client.templates.correctCells>[0], 'id'>

/** Changes cells and offers to take it back. Says in the scan line what was done, or why nothing was. */
export async function changeCells(id: string, edits: readonly Edit[]): Promise<boolean> {
  const real = edits.filter(({ before, value }) => before !== value)
  if (real.length === 0) return true
  return attempt(async () => {
    await sendEdits(id, real)
    const [first] = real
    announce(
      real.length === 1 && first !== undefined
        ? t('edit.one', { row: first.row, heading: first.column.heading, value: shown(first.value) })
        : t('edit.many', { count: real.length }),
      () =>
        sendEdits(
          id,
          real.map(({ row, column, before, value }) => ({ row, column, before: value, value: before })),
        ),
    )
  })
}

/** How a whole group is put right: in one of its proposed ways, or with a value that a person chose. */
export type GroupFix = { readonly way: string } | { readonly value: string }

/** Puts a whole group right. What the cells said is read first, so that it can be taken back. */
export async function fixCause(
  id: string,
  cause: {
    readonly cause: string
    readonly fix: GroupFix
    readonly label: string
    readonly rows: readonly number[]
  },
  column: SheetColumn | null,
): Promise<boolean> {
  return attempt(async () => {
    const before = column === null ? [] : await readAllRows({ id, onlyProblems: true })
    await decide(id, { causes: [{ cause: cause.cause, ...cause.fix }] })
    const wanted = new Set(cause.rows)
    const old = before.filter(({ row }) => wanted.has(row))
    announce(
      t('edit.group', { label: cause.label, count: cause.rows.length }),
      column === null || old.length !== wanted.size ? undefined : () => restore(id, old, column),
    )
  })
}

/** "It is right as it stands", for one finding or a whole group. */
export async function accept(id: string, decisions: Decisions, words: string): Promise<boolean> {
  return attempt(async () => {
    await decide(id, decisions)
    announce(words)
  })
}

/** Leaves a row out of the import, or takes it in again. */
export async function leaveOut(id: string, rows: readonly number[], out: boolean): Promise<boolean> {
  return attempt(async () => {
    await decide(id, out ? { skipRows: [...rows] } : { unskipRows: [...rows] })
    announce(t(out ? 'edit.leftOut' : 'edit.takenIn', { count: rows.length, row: rows[0] ?? 0 }), async () =>
      decide(id, out ? { unskipRows: [...rows] } : { skipRows: [...rows] }),
    )
  })
}

async function sendEdits(id: string, edits: readonly Edit[]): Promise<void> {
  for (let start = 0; start < edits.length; start += cellsPerCall) {
    await decide(id, {
      corrections: edits.slice(start, start + cellsPerCall).map(({ row, column, before, value }) => ({
        row,
        ...(column.fieldKey === null ? { column: column.letter } : { fieldKey: column.fieldKey }),
        value,
        expected: before,
      })),
    })
  }
}

async function restore(id: string, old: readonly ImportRow[], column: SheetColumn): Promise<void> {
  await decide(id, {
    corrections: old.map((row) => ({
      row: row.row,
      ...(column.fieldKey === null ? { column: column.letter } : { fieldKey: column.fieldKey }),
      value: cellText(row, column),
    })),
  })
}

/** Sends decisions, and waits until all that is shown of the import was read again. */
async function decide(id: string, decisions: Decisions): Promise<void> {
  const importId = ImportId.parse(id)
  const after = await client.templates.correctCells({ id: importId, ...decisions })
  queries.setQueryData(api.templates.getImport.queryKey({ input: { id: importId } }), after)
  await Promise.all([
    queries.refetchQueries({ queryKey: api.templates.importRows.key(), type: 'active' }),
    queries.refetchQueries({ queryKey: api.templates.importProblems.key(), type: 'active' }),
  ])
}

async function attempt(work: () => Promise<void>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    scanEngine.announce({ tone: 'bad', sentence: t('edit.refused'), detail: problemWords(error) })
    return false
  }
}

function announce(sentence: string, undo?: () => Promise<void>): void {
  scanEngine.announce({ tone: 'ok', sentence, ...(undo === undefined ? {} : { undo }) })
}

function shown(value: string): string {
  return value === '' ? t('edit.empty') : value
}
