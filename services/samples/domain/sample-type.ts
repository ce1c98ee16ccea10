import { accept, type Decision, refuse } from './decision.ts'

/** A kind of material. The letter stands on the tube's cap on the screen and is unique within a laboratory. */
export interface SampleType {
  /** Stable key, `[a-z][a-z0-9_]*`; storage rules and imports refer to it. */
  readonly key: string
  /** One letter A–Z. */
  readonly capLetter: string
  /** A name for types the laboratory added; built-in ones are translated by key. */
  readonly name: string
}

/** The types every laboratory starts with. Plasma keeps P, so protein takes A as in amino acid. */
export const builtInSampleTypes = [
  { key: 'dna', capLetter: 'D', name: 'DNA' },
  { key: 'rna', capLetter: 'R', name: 'RNA' },
  { key: 'protein', capLetter: 'A', name: 'Protein' },
  { key: 'cell_culture', capLetter: 'C', name: 'Cell culture' },
  { key: 'tissue', capLetter: 'T', name: 'Tissue' },
  { key: 'blood', capLetter: 'B', name: 'Blood' },
  { key: 'serum', capLetter: 'S', name: 'Serum' },
  { key: 'plasma', capLetter: 'P', name: 'Plasma' },
  { key: 'urine', capLetter: 'U', name: 'Urine' },
  { key: 'saliva', capLetter: 'V', name: 'Saliva' },
  { key: 'swab', capLetter: 'W', name: 'Swab' },
  { key: 'environmental', capLetter: 'E', name: 'Environmental' },
  { key: 'other', capLetter: 'X', name: 'Other' },
] as const satisfies readonly SampleType[]

export type BuiltInSampleTypeKey = (typeof builtInSampleTypes)[number]['key']

const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']

/** Adds a type of the laboratory's own. Key, name and cap letter must be free; the refusal names the free letters. */
export function decideNewSampleType(
  existing: readonly SampleType[],
  wanted: SampleType,
): Decision<SampleType> {
  const name = wanted.name.trim()
  if (!/^[a-z][a-z0-9_]{0,39}$/.test(wanted.key)) {
    return refuse(
      'sample_type_key_invalid',
      `The key "${wanted.key}" must begin with a letter a–z and hold only a–z, 0–9 and _, at most 40 of them.`,
    )
  }
  if (name === '') return refuse('sample_type_name_missing', 'The sample type needs a name.')
  const same = existing.find((type) => type.key === wanted.key || fold(type.name) === fold(name))
  if (same !== undefined) {
    return refuse(
      'sample_type_exists',
      `There is already a sample type ${same.name} with the key ${same.key}.`,
    )
  }
  const free = freeCapLetters(existing)
  if (!free.includes(wanted.capLetter)) {
    const holder = existing.find((type) => type.capLetter === wanted.capLetter)
    return refuse(
      'sample_type_cap_letter_taken',
      holder === undefined
        ? `The cap letter "${wanted.capLetter}" must be one capital letter A–Z.`
        : `The cap letter ${wanted.capLetter} belongs to ${holder.name}.`,
      free,
    )
  }
  return accept({ key: wanted.key, capLetter: wanted.capLetter, name })
}

/** Letters that no type uses yet, in alphabetical order. */
export function freeCapLetters(existing: readonly SampleType[]): readonly string[] {
  const taken = new Set(existing.map((type) => type.capLetter))
  return alphabet.filter((letter) => !taken.has(letter))
}

/**
 * Finds the type that a person or a spreadsheet means: key or name, upper and lower case alike, blanks, `-` and `_`
 * alike. Null when nothing fits; a near miss is never guessed.
 */
export function findSampleType(text: string, types: readonly SampleType[]): SampleType | null {
  const wanted = fold(text)
  return types.find((type) => fold(type.key) === wanted || fold(type.name) === wanted) ?? null
}

function fold(text: string): string {
  return text
    .normalize('NFKC')
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ')
}
