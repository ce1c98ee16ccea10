import type { z } from 'zod'
import { ReceiveRequest } from '../../samples/contract.ts'
import type { PlannedColumn } from './column-plan.ts'
import { listExtras } from './column-plan.ts'
import type { FieldValue } from './field-value.ts'
import { isFilled, type SheetRow } from './workbook.ts'

type Request = z.input<typeof ReceiveRequest>
type SampleFields = Request['sample']

/**
 * Fields by whose key an import fills a sample. A template may ask for anything else as well: that is kept with the
 * sample as it came, under its heading.
 */
export const sampleFieldKeys = [
  'barcode',
  'sampleName',
  'clientSampleId',
  'sampleType',
  'donorId',
  'project',
  'collectedOn',
  'volumeUl',
  'concentrationNgPerUl',
  'taxon',
  'priority',
] as const
type SampleFieldKey = (typeof sampleFieldKeys)[number]

/** Which input of Receive a field ends in, for telling which column a refusal is about. */
const fieldOfInput: Readonly<Record<string, SampleFieldKey>> = {
  code: 'barcode',
  'sample.name': 'clientSampleId',
  'sample.clientId': 'clientSampleId',
  'sample.type': 'sampleType',
  'sample.donor': 'donorId',
  'sample.project': 'project',
  'sample.collectedOn': 'collectedOn',
  'sample.volumeUl': 'volumeUl',
  'sample.concentrationNgPerUl': 'concentrationNgPerUl',
  'sample.taxonId': 'taxon',
  'sample.priority': 'priority',
}

export interface RequestProblem {
  /** The column it is about, when it is about one. */
  readonly column: PlannedColumn | null
  readonly message: string
}

export type RowRequest =
  | { readonly ok: true; readonly request: ReceiveRequest }
  | { readonly ok: false; readonly problems: readonly RequestProblem[] }

export interface RowToReceive {
  readonly source: SheetRow
  readonly values: Readonly<Record<string, FieldValue>>
  /** A person said that a code which reads like an index sequence is a tube id. */
  readonly codeConfirmed: boolean
}

/**
 * Makes of a checked row what Receive is asked. Texts go in exactly as they stand in the sheet; what does not fit a
 * field whole (a day with a time, a species instead of its number) is kept as it came, under its heading.
 */
export function buildReceiveRequest(
  { source, values, codeConfirmed }: RowToReceive,
  plan: readonly PlannedColumn[],
  importId: string,
): RowRequest {
  const extra = new Map(listExtras(source, plan).map(({ name, text }) => [name, text]))
  const known = new Set<string>(sampleFieldKeys)
  const columns = new Map(
    plan.flatMap((column) => (column.mapping === null ? [] : [[column.mapping.field, column]])),
  )

  function keep(key: string): void {
    const column = columns.get(key)
    const text = values[key]?.text ?? ''
    if (column !== undefined && text !== '') extra.set(column.extraName, text)
  }
  function text(key: SampleFieldKey): string | null {
    const value = values[key]?.text ?? ''
    return value.trim() === '' ? null : value
  }
  function read(key: SampleFieldKey): string | null {
    const value = values[key]?.value ?? null
    if (typeof value === 'string') return value
    if (value !== null) keep(key)
    return null
  }

  for (const key of columns.keys()) if (!known.has(key)) keep(key)
  const code = text('barcode')
  const clientId = text('clientSampleId')
  const collected = read('collectedOn')
  const day = collected?.slice(0, 10) ?? null
  const wholeDay = day !== null && /^\d{4}-\d{2}-\d{2}$/.test(day)
  if (collected !== null && (!wholeDay || collected.length > 10)) keep('collectedOn')
  const taxon = text('taxon')
  const isTaxonId = taxon !== null && /^\d{1,10}$/.test(taxon)
  if (!isTaxonId) keep('taxon')
  const priority = findPriority(text('priority'))
  if (priority === null) keep('priority')
  const inWell = code === null && (values['well']?.text ?? '').trim() !== ''

  const sample: SampleFields = {
    name: text('sampleName') ?? clientId ?? code ?? '',
    type: read('sampleType') ?? '',
    clientId,
    donor: text('donorId'),
    project: text('project'),
    collectedOn: wholeDay ? day : null,
    volumeUl: read('volumeUl'),
    concentrationNgPerUl: read('concentrationNgPerUl'),
    taxonId: isTaxonId ? taxon : null,
    ...(priority === null ? {} : { priority }),
    extra: Object.fromEntries(extra),
  }
  const request: Request = {
    sample,
    ...(code === null ? {} : { code, codeConfirmed }),
    // A well is neither a tube nor a whole plate.
    containerKind: inWell ? 'other' : 'tube',
    importId,
  }
  const parsed = ReceiveRequest.safeParse(request)
  if (parsed.success) return checkSize(parsed.data)
  return { ok: false, problems: parsed.error.issues.map((issue) => explain(issue, plan, columns)) }
}

const priorities: readonly string[] = ['low', 'normal', 'high', 'urgent', 'stat'] satisfies NonNullable<
  SampleFields['priority']
>[]

function findPriority(text: string | null): NonNullable<SampleFields['priority']> | null {
  const folded = text?.trim().toLowerCase() ?? ''
  return priorities.includes(folded) ? (folded as NonNullable<SampleFields['priority']>) : null
}

/** One change set holds 4 MB, and a row is written into several: what a person types into a row never gets near. */
const MOST_CHARACTERS = 500_000

function checkSize(request: ReceiveRequest): RowRequest {
  const size = Object.entries(request.sample.extra).reduce(
    (sum, [name, text]) => sum + name.length + text.length,
    0,
  )
  if (size <= MOST_CHARACTERS) return { ok: true, request }
  const message = `has ${size} characters in columns that are no field; ${MOST_CHARACTERS} can be kept with a sample.`
  return { ok: false, problems: [{ column: null, message }] }
}

function explain(
  issue: { readonly path: readonly PropertyKey[]; readonly message: string },
  plan: readonly PlannedColumn[],
  columns: ReadonlyMap<string, PlannedColumn>,
): RequestProblem {
  const [, part, name] = issue.path
  const column =
    part === 'extra'
      ? plan.find(({ extraName }) => extraName === name)
      : columns.get(fieldOfInput[issue.path.join('.')] ?? '')
  const message = `cannot be kept as it is: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}.`
  return { column: column ?? null, message }
}

/** Formulas whose value the file does not hold, in columns that are kept as they come: there is nothing to keep. */
export function listLostFormulas(row: SheetRow, plan: readonly PlannedColumn[]): readonly PlannedColumn[] {
  const lost = new Set(
    row.cells.filter((cell) => isFilled(cell) && cell.text === '').map((cell) => cell.column),
  )
  return plan.filter(({ column, use }) => use === 'extra' && lost.has(column))
}
