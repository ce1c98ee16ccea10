import type { z } from 'zod'
import type { BoxMap } from '../../../services/storage/contract.ts'

export type BoxContents = z.infer<typeof BoxMap>
export type BoxPosition = BoxContents['positions'][number]
export type ColourBy = 'type' | 'state' | 'age' | 'project'

/** What colour and letter a cap has; equal keys are one entry of the legend. */
export interface CapLook {
  readonly key: string
  readonly word: string
  readonly letter: string
  /** A class of `base.css`; empty for a neutral cap. */
  readonly colour: string
}

export interface LegendEntry extends CapLook {
  readonly count: number
}

export interface BoxLooks {
  /** By position label. Positions without a container have none. */
  readonly caps: ReadonlyMap<string, CapLook>
  readonly legend: readonly LegendEntry[]
}

/** What is known of a sample beside its container. */
export interface SampleFacts {
  readonly state: string
  readonly project: string | null
}

export interface ColourRules {
  readonly by: ColourBy
  readonly now: number
  readonly typeOf: (material: string) => { readonly name: string; readonly letter: string } | null
  readonly sampleOf: (sampleId: string) => SampleFacts | null
  readonly words: {
    readonly unknown: string
    readonly state: (state: string) => string
    readonly age: Readonly<Record<Age, string>>
  }
}

type Age = 'day' | 'week' | 'month' | 'year' | 'older'

const dayMs = 86_400_000
/** The colours of materials serve as six well told-apart tones for whatever else is shown. */
const tones = ['c-dna', 'c-rna', 'c-plasma', 'c-serum', 'c-tissue', 'c-blood'] as const
const materialTones: ReadonlySet<string> = new Set(tones)
const ageTones: Readonly<Record<Age, string>> = {
  day: 'c-serum',
  week: 'c-dna',
  month: 'c-plasma',
  year: 'c-rna',
  older: 'c-tissue',
}

/** Colours a box by type, state, age or project, and counts for its legend, most frequent first. */
export function colourBox(map: BoxContents, rules: ColourRules): BoxLooks {
  const caps = new Map<string, CapLook>()
  const counts = new Map<string, { look: CapLook; count: number }>()
  const toneOfKey = giveTones(map, rules)
  for (const { label, container, state } of map.positions) {
    if (container === null) continue
    const look = lookOf(container, rules, toneOfKey)
    caps.set(label, look)
    // A kept place is shown with its cap, but its tube is not in the box.
    if (state !== 'occupied') continue
    const counted = counts.get(look.key)
    counts.set(look.key, { look, count: (counted?.count ?? 0) + 1 })
  }
  const legend = [...counts.values()]
    .map(({ look, count }) => ({ ...look, count }))
    .sort((a, b) => b.count - a.count || a.word.localeCompare(b.word))
  return { caps, legend }
}

type Contained = NonNullable<BoxPosition['container']>

function lookOf(container: Contained, rules: ColourRules, toneOfKey: ReadonlyMap<string, string>): CapLook {
  const { material, sampleId } = container
  const unknown: CapLook = { key: '', word: rules.words.unknown, letter: '·', colour: '' }
  switch (rules.by) {
    case 'type': {
      if (material === null) return unknown
      const type = rules.typeOf(material)
      const colour = `c-${material}`
      return {
        key: material,
        word: type?.name ?? material,
        letter: type?.letter ?? firstLetter(material),
        colour: materialTones.has(colour) ? colour : '',
      }
    }
    case 'age': {
      if (container.placedAt === null) return unknown
      const age = ageOf(rules.now - Date.parse(container.placedAt))
      return { key: age, word: rules.words.age[age], letter: firstLetter(age), colour: ageTones[age] }
    }
    case 'state':
    case 'project': {
      const facts = sampleId === null ? null : rules.sampleOf(sampleId)
      const key = rules.by === 'state' ? (facts?.state ?? null) : (facts?.project ?? null)
      if (key === null) return unknown
      const word = rules.by === 'state' ? rules.words.state(key) : key
      return { key, word, letter: firstLetter(word), colour: toneOfKey.get(key) ?? '' }
    }
  }
}

/** States and projects get tones in the order of their names, so that a box looks the same each time it is opened. */
function giveTones(map: BoxContents, rules: ColourRules): ReadonlyMap<string, string> {
  if (rules.by !== 'state' && rules.by !== 'project') return new Map()
  const keys = new Set<string>()
  for (const { container } of map.positions) {
    const facts = container?.sampleId == null ? null : rules.sampleOf(container.sampleId)
    const key = rules.by === 'state' ? facts?.state : facts?.project
    if (key != null) keys.add(key)
  }
  return new Map([...keys].sort().map((key, index) => [key, tones[index] ?? '']))
}

function ageOf(ageMs: number): Age {
  if (ageMs < dayMs) return 'day'
  if (ageMs < 7 * dayMs) return 'week'
  if (ageMs < 31 * dayMs) return 'month'
  return ageMs < 366 * dayMs ? 'year' : 'older'
}

function firstLetter(word: string): string {
  return (word.trim()[0] ?? '·').toUpperCase()
}
