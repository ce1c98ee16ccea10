import { describe, expect, it } from 'vitest'
import { builtInSampleTypes, decideNewSampleType, findSampleType, freeCapLetters } from './sample-type.ts'

describe('sample types', () => {
  it('have keys and cap letters of their own', () => {
    expect(new Set(builtInSampleTypes.map((type) => type.key)).size).toBe(13)
    expect(new Set(builtInSampleTypes.map((type) => type.letter)).size).toBe(13)
    expect(freeCapLetters(builtInSampleTypes)).toHaveLength(13)
  })

  it('can be added by a laboratory', () => {
    expect(decideNewSampleType(builtInSampleTypes, { letter: 'F', name: ' FFPE block (10 µm)' })).toEqual({
      ok: true,
      value: { key: 'ffpe_block_10_m', letter: 'F', name: 'FFPE block (10 µm)', builtIn: false },
    })
  })

  it.each([
    [{ letter: 'F', name: ' ' }, 'sample_type_name_invalid'],
    [{ letter: 'F', name: '10x' }, 'sample_type_name_invalid'],
    [{ letter: 'F', name: 'dna' }, 'sample_type_exists'],
    [{ letter: 'F', name: 'cell  culture' }, 'sample_type_exists'],
    [{ letter: 'F', name: 'Cell/culture' }, 'sample_type_exists'],
    [{ letter: 'D', name: 'FFPE' }, 'sample_type_letter_taken'],
    [{ letter: 'f', name: 'FFPE' }, 'sample_type_letter_taken'],
    [{ letter: 'FF', name: 'FFPE' }, 'sample_type_letter_taken'],
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
