import type { BoxContents, BoxPosition } from '../../components/box/box-colours.ts'
import type { Container } from '../../../services/storage/contract.ts'

/** Why the last placement was refused; the tubes are still in hand. */
export interface PlacingRefusal {
  readonly kind: 'taken' | 'reserved' | 'kept' | 'out-of-use' | 'zone' | 'other'
  readonly words: string
  readonly boxId: string
  /** Where the tube was to go; null when the box was to choose. */
  readonly position: string | null
  readonly containerId: string
}

/** What a person at the storage screen is about to do. */
export interface Placing {
  /** Tubes in hand; several only when they were chosen in a map. */
  readonly hand: readonly Container[]
  /** The box whose map is shown. */
  readonly boxId: string | null
  /** The one position looked at; with something in hand or while filling the next placement goes here. */
  readonly framed: string | null
  /** All positions chosen in the map, the framed one among them. */
  readonly selected: ReadonlySet<string>
  /** Each scanned tube goes into the framed position, which then goes on to the next free one. */
  readonly filling: boolean
  readonly refusal: PlacingRefusal | null
}

export const nothingPlacing: Placing = {
  hand: [],
  boxId: null,
  framed: null,
  selected: new Set(),
  filling: false,
  refusal: null,
}

/** What was scanned, as far as it matters here. */
export type Scanned =
  | { readonly kind: 'tube'; readonly tube: Container }
  | { readonly kind: 'position'; readonly boxId: string; readonly label: string }
  | { readonly kind: 'box'; readonly boxId: string }

export type Intent =
  | { readonly act: 'take'; readonly tube: Container }
  | {
      readonly act: 'place'
      readonly tubes: readonly Container[]
      readonly boxId: string
      readonly label: string
    }
  | { readonly act: 'frame'; readonly boxId: string; readonly label: string }
  | { readonly act: 'open'; readonly boxId: string }
  | { readonly act: 'refuse'; readonly why: 'disposed' | 'box-full'; readonly tube: Container }

/**
 * What a scan does now. It is the same state that `announceScan` puts into words, so the line always says what the next
 * scan will do.
 */
export function interpretScan(placing: Placing, scanned: Scanned): Intent {
  switch (scanned.kind) {
    case 'box':
      return { act: 'open', boxId: scanned.boxId }
    case 'position':
      return placing.hand.length > 0
        ? { act: 'place', tubes: placing.hand, boxId: scanned.boxId, label: scanned.label }
        : { act: 'frame', boxId: scanned.boxId, label: scanned.label }
    case 'tube': {
      const { tube } = scanned
      if (tube.state === 'disposed') return { act: 'refuse', why: 'disposed', tube }
      if (!placing.filling || placing.boxId === null) return { act: 'take', tube }
      if (placing.framed === null) return { act: 'refuse', why: 'box-full', tube }
      return { act: 'place', tubes: [tube], boxId: placing.boxId, label: placing.framed }
    }
  }
}

/** Which sentences the scan line shows; the words are in the locale under `scan.` and `scanElse.`. */
export interface Announcement {
  readonly say: 'anything' | 'take' | 'place' | 'placeMany' | 'fill' | 'fillFull'
  readonly else:
    | 'anything'
    | 'take'
    | 'takeFill'
    | 'place'
    | 'placeEnter'
    | 'placeManyEnter'
    | 'fill'
    | 'fillRefused'
    | 'fillFull'
  readonly values: { readonly code: string; readonly position: string; readonly count: number }
}

/** Puts into words, by name, what the next scan will do; `map` is the box that is shown. */
export function announceScan(placing: Placing, map: BoxContents | null): Announcement {
  const { hand, framed, filling, boxId } = placing
  const values = { code: hand[0]?.label ?? '', position: framed ?? '', count: hand.length }
  const isFrameFree = map?.positions.some((each) => each.label === framed && isFree(each)) ?? false
  if (filling && boxId !== null) {
    if (framed === null) return { say: 'fillFull', else: 'fillFull', values }
    return { say: 'fill', else: hand.length > 0 ? 'fillRefused' : 'fill', values }
  }
  if (hand.length > 0) {
    const isMany = hand.length > 1
    const others = isFrameFree ? (isMany ? 'placeManyEnter' : 'placeEnter') : 'place'
    return { say: isMany ? 'placeMany' : 'place', else: others, values }
  }
  if (boxId === null) return { say: 'anything', else: 'anything', values }
  return { say: 'take', else: isFrameFree ? 'takeFill' : 'take', values }
}

/** Takes tubes in hand, in place of what was there. The frame stays where it is free, else it goes to the next in order. */
export function takeInHand(placing: Placing, tubes: readonly Container[], map: BoxContents | null): Placing {
  const isFrameFree = map?.positions.some((each) => each.label === placing.framed && isFree(each)) ?? false
  const label = isFrameFree ? placing.framed : (map?.nextFree ?? null)
  return frame({ ...placing, hand: tubes, refusal: null }, label)
}

/** Puts down what is in hand; the tubes are where they were. */
export function putDown(placing: Placing): Placing {
  return { ...placing, hand: [], filling: false, refusal: null }
}

/**
 * After a placement: the frame stands on the next free position. While filling, a tube refused before is still in hand.
 */
export function placedAt(
  placing: Placing,
  label: string,
  map: BoxContents,
  placed: readonly Pick<Container, 'id'>[],
): Placing {
  const hand = placing.hand.filter((tube) => placed.every(({ id }) => id !== tube.id))
  const refusal = hand.length === 0 ? null : placing.refusal
  return { ...frame(placing, nextFreeAfter(map, label)), boxId: map.box.id, hand, refusal }
}

/** After a refusal: the tubes stay in hand. While filling, a frame on a taken position goes on to the next free one. */
export function refuse(
  placing: Placing,
  tubes: readonly Container[],
  refusal: PlacingRefusal,
  map: BoxContents | null,
): Placing {
  const kept = { ...placing, hand: tubes, refusal }
  return placing.filling && refusal.kind !== 'zone' ? frame(kept, freeFrame(placing.framed, map)) : kept
}

/** Each tube scanned from now on goes into the next free position, beginning with the framed one when that is free. */
export function startFilling(placing: Placing, map: BoxContents): Placing {
  return frame({ ...placing, filling: true, refusal: null }, freeFrame(placing.framed, map))
}

/** Another map is shown. What is in hand stays there. */
export function showBox(placing: Placing, map: BoxContents, label: string | null): Placing {
  const isBusy = placing.hand.length > 0 || placing.filling
  const wanted = label ?? (placing.boxId === map.box.id ? placing.framed : null)
  const next = { ...placing, boxId: map.box.id, refusal: null }
  if (label !== null) return frame(next, label)
  return frame(next, isBusy ? freeFrame(wanted, map) : (wanted ?? map.nextFree))
}

/** Looks at one position. */
export function frame(placing: Placing, label: string | null): Placing {
  return { ...placing, framed: label, selected: new Set(label === null ? [] : [label]) }
}

/** A click or an arrow: one position, one more or less (`toggle`), or the rectangle from the framed one (`extend`). */
export function select(
  placing: Placing,
  map: BoxContents,
  label: string,
  how: { readonly extend: boolean; readonly toggle: boolean },
): Placing {
  const isAiming = placing.hand.length > 0 || placing.filling
  if (isAiming || (!how.extend && !how.toggle)) return { ...frame(placing, label), refusal: null }
  if (how.toggle) {
    const selected = new Set(placing.selected)
    if (!selected.delete(label)) selected.add(label)
    return { ...placing, framed: selected.has(label) ? label : ([...selected][0] ?? null), selected }
  }
  const from = map.positions.find((each) => each.label === placing.framed)
  const to = map.positions.find((each) => each.label === label)
  if (from === undefined || to === undefined) return frame(placing, label)
  const inside = (value: number, a: number, b: number) => value >= Math.min(a, b) && value <= Math.max(a, b)
  const selected = map.positions
    .filter(({ row, column }) => inside(row, from.row, to.row) && inside(column, from.column, to.column))
    .map((each) => each.label)
  return { ...placing, selected: new Set(selected) }
}

/** The next free position behind a label in the order of filling, then from the start; null when the box is full. */
export function nextFreeAfter(map: BoxContents, label: string): string | null {
  const at = map.positions.findIndex((each) => each.label === label)
  const inOrder = [...map.positions.slice(at + 1), ...map.positions.slice(0, at + 1)]
  return inOrder.find(isFree)?.label ?? null
}

/**
 * Where several tubes go from a position on, in the order of filling: free positions, and those which the tubes
 * themselves leave. Null when there are too few.
 */
export function planTargets(
  map: BoxContents,
  from: string,
  tubes: readonly Pick<Container, 'id'>[],
): readonly string[] | null {
  const leaving = new Set<string>(tubes.map(({ id }) => id))
  const at = map.positions.findIndex((each) => each.label === from)
  if (at < 0) return null
  const open = map.positions
    .slice(at)
    .filter((each) => isFree(each) || (each.state === 'occupied' && leaving.has(each.container?.id ?? '')))
    .map(({ label }) => label)
  return open.length < tubes.length || open[0] !== from ? null : open.slice(0, tubes.length)
}

/**
 * Which of the tubes in hand go into a box from a position on: all, or none when there is no room. Of tubes that have no
 * place yet as many go as there is room for; the others stay in hand for the next box.
 */
export function tubesThatFit<Tube extends Pick<Container, 'id' | 'state'>>(
  map: BoxContents,
  from: string,
  tubes: readonly Tube[],
): readonly Tube[] {
  if (!tubes.every(({ state }) => state === 'unplaced')) return tubes
  const at = map.positions.findIndex(({ label }) => label === from)
  return at < 0 ? tubes : tubes.slice(0, Math.max(1, map.positions.slice(at).filter(isFree).length))
}

/** `A1 to A8` for positions that follow each other in the order of filling, else each by name. */
export function rangesOf(
  map: Pick<BoxContents, 'positions'>,
  labels: Iterable<string>,
): readonly { readonly first: string; readonly last: string }[] {
  const wanted = new Set(labels)
  const ranges: { first: string; last: string }[] = []
  let before = false
  for (const { label } of map.positions) {
    const isIn = wanted.has(label)
    const open = ranges.at(-1)
    if (isIn && before && open !== undefined) open.last = label
    else if (isIn) ranges.push({ first: label, last: label })
    before = isIn
  }
  return ranges
}

/** Tubes that lie in the chosen positions, in the order of filling. */
export function tubesAt(map: BoxContents, labels: ReadonlySet<string>): readonly BoxPosition[] {
  return map.positions.filter(
    ({ label, state, container }) => labels.has(label) && state === 'occupied' && container !== null,
  )
}

function freeFrame(wanted: string | null, map: BoxContents | null): string | null {
  if (map === null) return null
  const at = map.positions.find(({ label }) => label === wanted)
  if (at === undefined) return map.nextFree
  return isFree(at) ? at.label : nextFreeAfter(map, at.label)
}

function isFree({ state }: BoxPosition): boolean {
  return state === 'available'
}
