import { describe, expect, it } from 'vitest'
import type { ImportRow } from '../../../services/templates/contract.ts'
import { countPreview, nameTypes } from './preview-counts.ts'

function row(number: number, state: ImportRow['state'], values: Readonly<Record<string, string>>): ImportRow {
  const cells = Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, { value, original: null, readAs: null }]),
  )
  return { row: number, state, cells, extra: {}, findings: [], sampleId: null, saveError: null }
}

describe('what would be saved', () => {
  it('counts good rows only, by type as it is understood', () => {
    const whole = row(2, 'good', { sampleType: 'Whole Blood', barcode: 'A', donorId: 'P1' })
    const read = {
      ...whole,
      cells: { ...whole.cells, sampleType: { value: 'Whole Blood', original: null, readAs: 'blood' } },
    }
    const counts = countPreview([
      read,
      row(3, 'good', { sampleType: 'blood', donorId: 'P1', project: 'C3' }),
      row(4, 'good', { sampleType: 'plasma', donorId: ' ' }),
      row(5, 'error', { sampleType: 'plasma', barcode: 'B' }),
      row(6, 'saved', { sampleType: 'plasma', barcode: 'C' }),
    ])
    expect(counts).toEqual({
      samples: 3,
      types: [
        { name: 'blood', count: 2 },
        { name: 'plasma', count: 1 },
      ],
      projects: [{ name: 'C3', count: 1 }],
      donors: 1,
      withCode: 1,
    })
  })

  it('writes types as the laboratory does, and counts one type once', () => {
    const types = [
      { key: 'plasma', name: 'Plasma' },
      { key: 'cell_culture', name: 'Cell culture' },
    ]
    const words = ['plasma', 'Plasma', 'Cell Culture', 'lymph'].map((name, index) => ({
      name,
      count: index + 1,
    }))
    expect(nameTypes(words, types)).toEqual([
      { name: 'lymph', count: 4 },
      { name: 'Cell culture', count: 3 },
      { name: 'Plasma', count: 3 },
    ])
  })
})
