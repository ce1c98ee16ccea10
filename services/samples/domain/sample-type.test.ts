import { describe, expect, it } from 'vitest'
import { builtInSampleTypes, decideNewSampleType, findSampleType, freeCapLetters } from './sample-type.ts'

describe('sample types', () => {
  it('have keys and cap letters of their own', () => {
    expect(new Set(builtInSampleTypes.map((type) => type.key)).size).toBe(13)
    expect(new Set(builtInSampleTypes.map((type) => type.capLetter)).size).toBe(13)
    expect(freeCapLetters(builtInSampleTypes)).toHaveLength(13)
  })

  it('can be added by a laboratory', () => {
    expect(
      decideNewSampleType(builtInSampleTypes, { key: 'ffpe', capLetter: 'F', name: ' FFPE block ' }),
    ).toEqual({ ok: true, value: { key: 'ffpe', capLetter: 'F', name: 'FFPE block' } })
  })

  it.each([
    [{ key: 'FFPE', capLetter: 'F', name: 'FFPE' }, 'sample_type_key_invalid'],
    [{ key: 'ffpe', capLetter: 'F', name: ' ' }, 'sample_type_name_missing'],
    [{ key: 'dna', capLetter: 'F', name: 'FFPE' }, 'sample_type_exists'],
    [{ key: 'culture', capLetter: 'F', name: 'cell  culture' }, 'sample_type_exists'],
    [{ key: 'ffpe', capLetter: 'D', name: 'FFPE' }, 'sample_type_cap_letter_taken'],
    [{ key: 'ffpe', capLetter: 'f', name: 'FFPE' }, 'sample_type_cap_letter_taken'],
    [{ key: 'ffpe', capLetter: 'FF', name: 'FFPE' }, 'sample_type_cap_letter_taken'],
  ])('refuses %o with %s', (wanted, rule) => {
    expect(decideNewSampleType(builtInSampleTypes, wanted)).toMatchObject({ ok: false, refusal: { rule } })
  })

  it('are found by key or name, never guessed', () => {
    const found = ['DNA', ' cell-culture', 'Cell Culture', 'cell_culture', 'gDNA', ''].map(
      (text) => findSampleType(text, builtInSampleTypes)?.key ?? null,
    )
    expect(found).toEqual(['dna', 'cell_culture', 'cell_culture', 'cell_culture', null, null])
  })
})
