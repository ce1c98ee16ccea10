import { accept, type Decision, refuse } from './decision.ts'

/** A kind of material. The letter stands on the tube's cap on the screen and is unique within a laboratory. */
export interface SampleType {
  /** Stable key, `[a-z][a-z0-9_]*`; storage rules, imports and translations refer to it. */
  readonly key: string
  /** As people of the laboratory write it. */
  readonly name: string
  /** One letter A–Z. */
  readonly letter: string
  readonly builtIn: boolean
}

/** The types every laboratory starts with. Plasma keeps P, so protein takes A as in amino acid. */
export const builtInSampleTypes = [
  { key: 'dna', name: 'DNA', letter: 'D', builtIn: true },
  { key: 'rna', name: 'RNA', letter: 'R', builtIn: true },
  { key: 'protein', name: 'Protein', letter: 'A', builtIn: true },
  { key: 'cell_culture', name: 'Cell culture', letter: 'C', builtIn: true },
  { key: 'tissue', name: 'Tissue', letter: 'T', builtIn: true },
  { key: 'blood', name: 'Blood', letter: 'B', builtIn: true },
  { key: 'serum', name: 'Serum', letter: 'S', builtIn: true },
  { key: 'plasma', name: 'Plasma', letter: 'P', builtIn: true },
  { key: 'urine', name: 'Urine', letter: 'U', builtIn: true },
  { key: 'saliva', name: 'Saliva', letter: 'V', builtIn: true },
  { key: 'swab', name: 'Swab', letter: 'W', builtIn: true },
  { key: 'environmental', name: 'Environmental', letter: 'E', builtIn: true },
  { key: 'other', name: 'Other', letter: 'X', builtIn: true },
] as const satisfies readonly SampleType[]

const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']

/**
 * Adds a type of the laboratory's own; its key is made from its name. Name and cap letter must be free, and the
 * refusal of a letter names the free ones.
 */
export function decideNewSampleType(
  existing: readonly SampleType[],
  wanted: { readonly name: string; readonly letter: string },
): Decision<SampleType> {
  const { letter } = wanted
  const name = wanted.name.trim()
  const key = fold(name)
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  if (!/^[a-z]/.test(key)) {
    return refuse(
      'sample_type_name_invalid',
      `"${wanted.name}" is no name for a sample type: begin with a letter a–z.`,
    )
  }
  const same = existing.find((type) => type.key === key || fold(type.name) === fold(name))
  if (same !== undefined) {
    return refuse('sample_type_exists', `There is already a sample type ${same.name}.`)
  }
  const free = freeCapLetters(existing)
  if (!free.includes(letter)) {
    const holder = existing.find((type) => type.letter === letter)
    const message =
      holder === undefined
        ? `The cap letter "${letter}" must be one capital letter A–Z.`
        : `The cap letter ${letter} belongs to ${holder.name}.`
    return refuse('sample_type_letter_taken', message, free)
  }
  return accept({ key, name, letter, builtIn: false })
}

/** Letters that no type uses yet, in alphabetical order. */
export function freeCapLetters(existing: readonly SampleType[]): readonly string[] {
  const taken = new Set(existing.map((type) => type.letter))
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
