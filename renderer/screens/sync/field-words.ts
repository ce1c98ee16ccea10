import type { TFunction } from 'i18next'
import { ContainerState } from '../../../services/storage/contract.ts'
import { SampleState } from '../../../services/samples/contract.ts'
import { i18n } from '../../i18n.ts'
import { countText, wholeMoment } from '../../moments.ts'
import { namingColumns } from './proposals.ts'
import type { ThingOf } from './things.ts'

type Words = TFunction<'sync'>

/** What a column is called on the forms; one that has no words yet is shown by its name. */
export function columnWords(column: string, t: Words): string {
  const key = `column.${column}`
  return i18n.exists(key, { ns: 'sync' }) ? t(key as 'column.name') : column.replaceAll('_', ' ')
}

/** What a row of this table is: `Sample`, `Place of a tube`. */
export function tableWords(table: string, t: Words): string {
  const key = `table.${table.replaceAll('.', '_')}`
  return i18n.exists(key, { ns: 'sync' }) ? t(key as 'table.sample') : table.replaceAll(/[._]/g, ' ')
}

/** A value as the forms show it: states by their words, instants by the clock, ids by what they name. */
export function valueWords(
  {
    table,
    column,
    value,
  }: { readonly table: string; readonly column: string; readonly value: string | null },
  thingOf: ThingOf,
  t: Words,
): string {
  if (value === null || value === '' || value === '{}') return t('nothing')
  if (value === 'true') return t('yes')
  if (value === 'false') return t('no')
  if (column === 'state') return stateWords(table, value)
  const kind = namingColumns[column]
  if (kind !== undefined) return thingOf({ kind, id: value })?.name ?? t('unknownThing')
  if (/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/.test(value)) return wholeMoment(value.replace(' ', 'T'))
  if (/^\d{5,}$/.test(value)) return countText(Number(value))
  const key = `value.${column}.${value}`
  if (i18n.exists(key, { ns: 'sync' })) return t(key as 'value.priority.low')
  return listWords(value) ?? value
}

function stateWords(table: string, value: string): string {
  const container = ContainerState.safeParse(value).data
  if (table !== 'sample' && container !== undefined) return i18n.t(`common:containerState.${container}`)
  const sample = SampleState.safeParse(value).data
  return table === 'sample' && sample !== undefined
    ? i18n.t(`common:sampleState.${sample}`)
    : value.replaceAll('_', ' ')
}

/** `{"Ward":"3","Note":"clear"}` as `Ward: 3, Note: clear`. */
function listWords(value: string): string | null {
  if (!value.startsWith('{')) return null
  try {
    const pairs = Object.entries(JSON.parse(value) as Record<string, unknown>)
    return pairs.map(([name, each]) => `${name}: ${String(each)}`).join(', ')
  } catch {
    return null
  }
}
