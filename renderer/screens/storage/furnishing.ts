import type { StorageNode } from '../../../services/storage/contract.ts'

export type PlaceKind = StorageNode['kind']

/** What may lie directly in what, as storage decides it (`nodeParents`); the usual one first. */
export const kindsInside: Readonly<Record<PlaceKind | 'top', readonly PlaceKind[]>> = {
  top: ['freezer', 'room'],
  room: ['freezer', 'shelf'],
  freezer: ['shelf', 'rack', 'box'],
  shelf: ['rack', 'box'],
  rack: ['box'],
  box: [],
}

export interface BoxSize {
  readonly rows: number
  readonly columns: number
  readonly order: 'row-major' | 'column-major'
}

export interface Furnishing {
  readonly kind: PlaceKind
  readonly name: string
  /** With more than one, names are counted on: `Box 3`, `Box 4`. */
  readonly count: number
  readonly zone: StorageNode['zone']
  /** How many of each lie in the one above; zero leaves the level out. */
  readonly shelves: number
  readonly racks: number
  readonly boxes: number
  readonly size: BoxSize
}

/** One place to be made. `inside` counts from 0 in the plan; null is where the whole plan goes. */
export interface PlannedPlace {
  readonly kind: PlaceKind
  readonly name: string
  readonly inside: number | null
  readonly zone: StorageNode['zone']
  readonly size: BoxSize | null
}

/** As many places as one dialog makes: more is a slip of the finger. */
export const mostPlaces = 600

/** Every place of a furnishing, parents first. */
export function planFurnishing(furnishing: Furnishing): readonly PlannedPlace[] {
  const plan: PlannedPlace[] = []
  const levels = levelsOf(furnishing)
  function add(kind: PlaceKind, name: string, inside: number | null): void {
    const isTop = inside === null
    const zone = isTop ? furnishing.zone : null
    plan.push({ kind, name, inside, zone, size: kind === 'box' ? furnishing.size : null })
    const at = plan.length - 1
    const next = levels[levels.findIndex((level) => level.kind === kind) + 1]
    if (next === undefined || kind === 'box') return
    for (let number = 1; number <= next.count; number += 1) {
      add(next.kind, `${next.word} ${next.kind === 'rack' ? rackLetter(number) : String(number)}`, at)
    }
  }
  for (const name of countOn(furnishing.name, furnishing.count)) add(furnishing.kind, name, null)
  return plan
}

/** How many places and how many positions a furnishing makes. */
export function countFurnishing(furnishing: Furnishing): {
  readonly places: number
  readonly positions: number
} {
  const levels = levelsOf(furnishing)
  let places = furnishing.count
  let layer = furnishing.count
  for (const { count } of levels.slice(1)) {
    layer *= count
    places += layer
  }
  const boxes = levels.at(-1)?.kind === 'box' ? layer : 0
  return { places, positions: boxes * furnishing.size.rows * furnishing.size.columns }
}

/** `Box 3`, `Box 4`, `Box 5`: from the number that the name ends with, or from 1. */
export function countOn(name: string, count: number): readonly string[] {
  if (count <= 1) return [name]
  const [, stem = name, digits] = /^(.*?)(\d+)$/.exec(name) ?? []
  if (digits === undefined) return Array.from({ length: count }, (_, index) => `${name} ${String(index + 1)}`)
  return Array.from(
    { length: count },
    (_, index) => stem + String(Number(digits) + index).padStart(digits.length, '0'),
  )
}

interface Level {
  readonly kind: PlaceKind
  readonly word: string
  readonly count: number
}

function levelsOf({ kind, shelves, racks, boxes, count }: Furnishing): readonly Level[] {
  const below: readonly Level[] = [
    { kind: 'shelf', word: 'Shelf', count: shelves },
    { kind: 'rack', word: 'Rack', count: racks },
    { kind: 'box', word: 'Box', count: boxes },
  ]
  const from = kind === 'freezer' ? 0 : below.findIndex((level) => level.kind === kind) + 1
  const inside = kind === 'room' || kind === 'box' ? [] : below.slice(from)
  return [{ kind, word: '', count }, ...inside.filter((level) => level.count > 0)]
}

/** A, B … Z, AA, as racks are named on their doors. */
function rackLetter(number: number): string {
  const last = String.fromCharCode(65 + ((number - 1) % 26))
  return number <= 26 ? last : rackLetter(Math.floor((number - 1) / 26)) + last
}
