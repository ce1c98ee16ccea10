import { describe, expect, it } from 'vitest'
import type { FindingGroup } from '../../../services/templates/contract.ts'
import { gutterFrame, gutterMarks } from './gutter.ts'
import { countProblemRows, listPlaces, nextPlace, rowKey } from './problem-places.ts'

const columns = [
  { key: 'field:barcode', fieldKey: 'barcode', heading: 'Barcode' },
  { key: 'field:sampleType', fieldKey: 'sampleType', heading: 'Type' },
  { key: 'column:F', fieldKey: null, heading: 'Ward' },
]

function group(
  fieldKey: string | null,
  rows: number[],
  severity: FindingGroup['severity'],
  heading = '',
): FindingGroup {
  return {
    cause: `${fieldKey ?? heading} ${severity}`,
    rule: 'rule',
    severity,
    fieldKey,
    heading,
    title: '',
    detail: '',
    value: '',
    rows,
    proposals: [],
    acceptable: 'no',
  }
}

const places = listPlaces(
  [
    group('sampleType', [27, 26], 'error'),
    group('barcode', [26], 'confirm'),
    group('sampleType', [26], 'confirm'),
    group(null, [30], 'error', 'Ward'),
    group(null, [12], 'confirm'),
    group('barcode', [3], 'note'),
  ],
  columns,
)

describe('places with problems', () => {
  it('stand row by row and from left to right, each once with its worst severity, notes left out', () => {
    expect(places).toEqual([
      { row: 12, key: rowKey, severity: 'confirm' },
      { row: 26, key: 'field:barcode', severity: 'confirm' },
      { row: 26, key: 'field:sampleType', severity: 'error' },
      { row: 27, key: 'field:sampleType', severity: 'error' },
      { row: 30, key: 'column:F', severity: 'error' },
    ])
    expect(countProblemRows(places)).toBe(4)
  })

  it('are gone through in both directions and begin anew at the end', () => {
    const at = { row: 26, key: 'field:barcode' }
    expect(nextPlace(places, null, 1, columns)?.row).toBe(12)
    expect(nextPlace(places, at, 1, columns)?.key).toBe('field:sampleType')
    expect(nextPlace(places, at, -1, columns)?.row).toBe(12)
    expect(nextPlace(places, { row: 30, key: 'column:F' }, 1, columns)?.row).toBe(12)
    expect(nextPlace(places, { row: 12, key: rowKey }, -1, columns)?.row).toBe(30)
    expect(nextPlace([], at, 1, columns)).toBeNull()
  })

  it('are found from a cell that has none', () => {
    expect(nextPlace(places, { row: 20, key: 'field:barcode' }, 1, columns)?.row).toBe(26)
    expect(nextPlace(places, { row: 20, key: 'field:barcode' }, -1, columns)?.row).toBe(12)
  })
})

describe('the gutter', () => {
  it('shares a mark between near problems and keeps the worst', () => {
    expect(gutterMarks(places, 11, 110, 10)).toEqual([
      { top: 0, severity: 'confirm' },
      { top: 10, severity: 'error' },
    ])
  })

  it('frames what is in sight', () => {
    expect(gutterFrame(10, 19, 100)).toEqual({ top: 10, height: 10 })
    expect(gutterFrame(0, 0, 0)).toEqual({ top: 0, height: 100 })
  })
})
