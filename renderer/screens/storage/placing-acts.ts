import { ORPCError } from '@orpc/client'
import { z } from 'zod'
import { type Container, ContainerId, NodeId, ZoneName } from '../../../services/storage/contract.ts'
import { api, client, queries } from '../../client.ts'
import type { BoxContents } from '../../components/box/box-colours.ts'
import { materialName } from '../../components/material-name.ts'
import { i18n } from '../../i18n.ts'
import { goTo } from '../../navigation.ts'
import { problemCode, problemWords } from '../../problem.ts'
import type { ScanResult } from '../../scan/scan-engine.ts'
import { scanEngine } from '../../scan/scanning.ts'
import { readSession } from '../../session/session-store.ts'
import {
  placedAt,
  type PlacingRefusal,
  planTargets,
  putDown,
  rangesOf,
  refuse,
  showBox,
  takeInHand,
  tubesAt,
  tubesThatFit,
} from './placing.ts'
import { changePlacing, forgetPlacements, notePlacements, openDialog, readPlacing } from './placing-store.ts'
import { type Destination, moveAll, putAway, putBack } from './put-away.ts'

const t = i18n.getFixedT(null, 'storage')

/** The box as it is now; the map on the screen is drawn from the same answer. */
export function readBox(boxId: string): Promise<BoxContents> {
  return queries.query(api.storage.boxMap.queryOptions({ input: { boxId: NodeId.parse(boxId) } }))
}

/** Does what a button or a key asks for and shows what came of it where scans show theirs. */
export async function act(work: () => Promise<ScanResult | null>): Promise<void> {
  try {
    const result = await work()
    if (result !== null) scanEngine.announce(result)
  } catch (error) {
    scanEngine.announce({ tone: 'bad', sentence: problemWords(error) })
  }
}

/** Puts tubes into a position (several: from there on). What is refused by a rule stays in hand, with the reason. */
export async function place(tubes: readonly Container[], to: Destination): Promise<ScanResult> {
  if (tubes.length > 1 && tubes.every(({ state }) => state === 'unplaced')) return placeEach(tubes, to)
  let after: readonly Container[]
  try {
    after = await carryOut(tubes, to)
  } catch (error) {
    return refused(error, tubes, to)
  }
  return placed(tubes, after, to)
}

/** Puts tubes that have no place yet one after the other, as many as there is room for; the others stay in hand. */
async function placeEach(tubes: readonly Container[], to: Destination): Promise<ScanResult> {
  const map = await readBox(to.boxId)
  const from = to.label ?? map.nextFree ?? ''
  const going = tubesThatFit(map, from, tubes)
  const after: Container[] = []
  try {
    const targets = targetsFor(map, from, going)
    for (const [index, tube] of going.entries()) {
      after.push(await putAway(tube, { ...to, label: targets[index] ?? '' }))
    }
  } catch (error) {
    if (after.length > 0) await placed(tubes.slice(0, after.length), after, to)
    return refused(error, tubes.slice(after.length), to)
  }
  return placed(going, after, to)
}

/** What a rule refuses stays in hand, with the reason; any other failure is thrown on. */
async function refused(error: unknown, tubes: readonly Container[], to: Destination): Promise<ScanResult> {
  const map = await readBox(to.boxId).catch(() => null)
  const refusal = refusalOf(error, tubes, to, map)
  if (refusal === null) throw error
  changePlacing((placing) => refuse(placing, tubes, refusal, placing.boxId === to.boxId ? map : null))
  return refusedResult(tubes, refusal, map)
}

/** Shows what was placed, and offers to take it back. */
async function placed(
  tubes: readonly Container[],
  after: readonly Container[],
  to: Destination,
): Promise<ScanResult> {
  const map = await readBox(to.boxId)
  const labels = after.flatMap((tube) => tube.place?.position ?? [])
  const last = labels.at(-1) ?? to.label ?? ''
  changePlacing((placing) => placedAt(placing, last, map, tubes))
  openBoxPage(to.boxId)
  const undo = undoOf(tubes, labels[0] === undefined ? null : { boxId: to.boxId, label: labels[0] })
  notePlacements(
    after.flatMap(({ id, place: where }) =>
      where === null ? [] : [{ boxId: where.boxId, position: where.position, containerId: id, undo }],
    ),
  )
  const code = tubes[0]?.label ?? ''
  const words =
    tubes.length === 1
      ? t('done.placed', { code, position: last })
      : t('done.placedMany', { count: tubes.length, ranges: rangeWords(map, labels) })
  return { tone: 'ok', sentence: words, detail: map.box.name, undo }
}

async function carryOut(tubes: readonly Container[], to: Destination): Promise<readonly Container[]> {
  const [first] = tubes
  if (first === undefined) return []
  if (tubes.length === 1) return [await putAway(first, to)]
  const map = await readBox(to.boxId)
  const from = to.label ?? map.nextFree ?? ''
  const targets = targetsFor(map, from, tubes)
  await moveAll(
    tubes.map((tube, index) => ({ tube, boxId: to.boxId, label: targets[index] ?? '' })),
    to.overrideReason,
  )
  return Promise.all(tubes.map(({ id }) => client.storage.getContainer({ id })))
}

function targetsFor(map: BoxContents, from: string, tubes: readonly Container[]): readonly string[] {
  const targets = planTargets(map, from, tubes)
  if (targets === null) throw new TooFewPositions(t('refused.tooFew', { count: tubes.length, from }))
  return targets
}

class TooFewPositions extends Error {}

/** Opens the page of a box unless it is the one that is shown. */
export function openBoxPage(boxId: string): void {
  if (window.location.hash.includes(boxId)) return
  goTo({ to: '/storage/$boxId', params: { boxId } })
}

/** Shows the map of a box, with one position framed when it is named. */
export async function showBoxNow(boxId: string, label: string | null): Promise<BoxContents> {
  const map = await readBox(boxId)
  changePlacing((placing) => showBox(placing, map, label))
  return map
}

/** Takes the tubes of the chosen positions in hand. */
export async function takeFromMap(map: BoxContents, labels: ReadonlySet<string>): Promise<ScanResult | null> {
  const found = tubesAt(map, labels)
  const tubes = await Promise.all(
    found.flatMap(({ container }) => (container === null ? [] : [readContainer(container.id)])),
  )
  if (tubes.length === 0) return null
  const fresh = await readBox(map.box.id)
  changePlacing((placing) => takeInHand(placing, tubes, fresh))
  return tookResult(tubes)
}

export function tookResult(tubes: readonly Container[]): ScanResult {
  const [first] = tubes
  const code = first?.label ?? ''
  if (tubes.length > 1) return { tone: 'ok', sentence: t('done.tookMany', { count: tubes.length }) }
  const place = first?.place ?? first?.reservedPlace ?? null
  return {
    tone: 'ok',
    sentence: t('done.took', { code }),
    detail:
      place === null
        ? t('done.tookNowhere')
        : t('done.tookFrom', { position: place.position, box: place.boxName }),
  }
}

export function putDownAll(): void {
  changePlacing(putDown)
}

/** Exchanges two tubes of a box, or moves dragged ones; taken positions exchange. */
export async function dragTo(
  map: BoxContents,
  from: string,
  to: string,
  selected: ReadonlySet<string>,
): Promise<ScanResult | null> {
  const labels = selected.has(from) ? tubesAt(map, selected).map(({ label }) => label) : [from]
  const tubes = await readTubes(map, labels)
  const target = map.positions.find(({ label }) => label === to)
  if (tubes.length === 1 && target?.state === 'occupied') return swap(map, [from, to])
  return tubes.length === 0 ? null : place(tubes, { boxId: map.box.id, label: to })
}

/** Moves dragged tubes into the next free positions of another box. */
export async function dragIntoBox(
  map: BoxContents,
  from: string,
  selected: ReadonlySet<string>,
  boxId: string,
): Promise<ScanResult | null> {
  const labels = selected.has(from) ? tubesAt(map, selected).map(({ label }) => label) : [from]
  const tubes = await readTubes(map, labels)
  return tubes.length === 0 || boxId === map.box.id ? null : place(tubes, { boxId, label: null })
}

/** Exchanges the tubes of two positions, at once or not at all. */
export async function swap(map: BoxContents, labels: readonly string[]): Promise<ScanResult | null> {
  const [one, other] = await readTubes(map, labels)
  const [first = '', second = ''] = labels
  if (one === undefined || other === undefined) return null
  const boxId = map.box.id
  await moveAll([
    { tube: one, boxId, label: second },
    { tube: other, boxId, label: first },
  ])
  await readBox(boxId)
  return {
    tone: 'ok',
    sentence: t('done.swapped', { first, second }),
    detail: map.box.name,
    undo: undoOf([one, other]),
  }
}

/** Puts a checked-out tube back into the place that is kept for it. */
export async function returnToPlace(container: Container): Promise<ScanResult> {
  const after = await client.storage.returnToPlace({ containerId: container.id })
  const position = after.place?.position ?? ''
  return {
    tone: 'ok',
    sentence: t('done.returned', { code: container.label, position }),
    undo: undoOf([container]),
  }
}

/** Takes a tube out of its place as if it had never been put there: for what was booked by mistake. */
export async function takeOut(container: Container, reason: string): Promise<ScanResult> {
  await client.storage.takeOut({ containerId: container.id, reason })
  const place = container.place
  return {
    tone: 'ok',
    sentence: t('done.takenOut', { code: container.label }),
    ...(place === null
      ? {}
      : {
          undo: async () => {
            const target = { boxId: place.boxId, position: place.position }
            await client.storage.place({ containerId: container.id, target })
          },
        }),
  }
}

/** Checks a tube out; its place is kept. */
export async function checkOut(container: Container, purpose: string): Promise<ScanResult> {
  await client.storage.checkOut({ containerId: container.id, purpose })
  return {
    tone: 'ok',
    sentence: t('done.checkedOut', { code: container.label }),
    detail: t('done.checkedOutDetail', { position: container.place?.position ?? '' }),
    undo: async () => {
      await client.storage.returnToPlace({ containerId: container.id })
    },
  }
}

export function readContainer(id: string): Promise<Container> {
  return client.storage.getContainer({ id: ContainerId.parse(id) })
}

/** `A1 to A8, B3`. */
export function rangeWords(map: Pick<BoxContents, 'positions'>, labels: Iterable<string>): string {
  return rangesOf(map, labels)
    .map(({ first, last }) => (first === last ? first : t('range', { first, last })))
    .join(', ')
}

/** Whether the person signed in may do this; for what is no component. */
export function may(permission: string): boolean {
  const session = readSession()
  return session.stage === 'signed-in' && session.me.permissions.includes(permission)
}

/** Takes placements back. The list of what was placed finds its ring on the scan line by this very function. */
export function undoOf(
  before: readonly Container[],
  freed: { readonly boxId: string; readonly label: string } | null = null,
): () => Promise<void> {
  return async () => {
    await putBack(before, { reason: t('undoReason'), mayOverride: may('storage:override') })
    forgetPlacements(before.map(({ id }) => id))
    const { boxId } = readPlacing()
    if (boxId === null) return
    const map = await readBox(boxId)
    // The position that is free again is the one to go on with.
    changePlacing((placing) => showBox(placing, map, freed?.boxId === boxId ? freed.label : null))
  }
}

async function readTubes(map: BoxContents, labels: readonly string[]): Promise<readonly Container[]> {
  const ids = labels.flatMap((label) => {
    const position = map.positions.find((each) => each.label === label)
    return position?.state === 'occupied' && position.container !== null ? [position.container.id] : []
  })
  return Promise.all(ids.map(readContainer))
}

const Taken = z.object({
  position: z.string(),
  occupant: z.string(),
  state: z.enum(['occupied', 'reserved', 'out_of_use', 'available']),
})
const WrongZone = z.object({ material: z.string(), zone: ZoneName })

/** Refusals that a rule gives; anything else (no answer, session over) leaves the scan waiting. */
const ruleCodes: ReadonlySet<string> = new Set([
  'POSITION_TAKEN',
  'ZONE_NOT_ALLOWED',
  'NO_SUCH_POSITION',
  'BOX_FULL',
  'RULE_BROKEN',
  'CONFLICT',
  'NOT_FOUND',
  'FORBIDDEN',
])

/** Which type may not lie where, when it was a zone's rule that refused; null for any other error. */
export function wrongZoneWords(error: unknown): string | null {
  if (!(error instanceof ORPCError) || error.code !== 'ZONE_NOT_ALLOWED') return null
  const { data } = WrongZone.safeParse(error.data)
  if (data === undefined) return null
  const { material, zone } = data
  return t('check.zoneWrong', { material: materialName(material), zone: i18n.t(`common:zone.${zone}`) })
}

function refusalOf(
  error: unknown,
  tubes: readonly Container[],
  to: Destination,
  map: BoxContents | null,
): PlacingRefusal | null {
  const where = { boxId: to.boxId, position: to.label, containerId: tubes[0]?.id ?? '' }
  if (error instanceof TooFewPositions) return { ...where, kind: 'other', words: error.message }
  const code = problemCode(error)
  if (code === null || !ruleCodes.has(code)) return null
  const data: unknown = error instanceof ORPCError ? error.data : null
  const taken = code === 'POSITION_TAKEN' ? Taken.safeParse(data) : null
  if (taken?.success === true) {
    const { position, occupant, state } = taken.data
    const isKept = map?.positions.find(({ label }) => label === position)?.container != null
    const kind =
      state === 'occupied' ? 'taken' : state === 'out_of_use' ? 'out-of-use' : isKept ? 'kept' : 'reserved'
    return { ...where, position, kind, words: t(`refused.${kind}`, { position, who: occupant }) }
  }
  const wrongZone = wrongZoneWords(error)
  if (wrongZone !== null) return { ...where, kind: 'zone', words: wrongZone }
  return { ...where, kind: 'other', words: problemWords(error) }
}

/** The way out that the scan line offers beside a refusal. */
function refusedResult(
  tubes: readonly Container[],
  refusal: PlacingRefusal,
  map: BoxContents | null,
): ScanResult {
  const next = map?.nextFree ?? null
  const code = tubes[0]?.label ?? ''
  const still =
    tubes.length > 1 ? t('refused.stillMany', { count: tubes.length }) : t('refused.still', { code })
  const result: ScanResult = { tone: 'bad', sentence: refusal.words, detail: still }
  if (refusal.kind === 'zone') {
    if (!may('storage:override')) return result
    const { boxId, position, words } = refusal
    const run = () => openDialog({ kind: 'override', boxId, label: position, words })
    return { ...result, action: { label: t('override.open'), run } }
  }
  if (next === null || refusal.kind === 'other' || tubes.length > 1) return result
  const run = () => void act(() => placeInHand(refusal.boxId, next))
  return { ...result, action: { label: t('placeIn', { position: next }), run } }
}

/** Places what is in hand at that moment: the offer may be older than the hand. */
export async function placeInHand(
  boxId: string,
  label: string | null,
  more: Pick<Destination, 'useReservation' | 'overrideReason'> = {},
): Promise<ScanResult | null> {
  const { hand } = readPlacing()
  return hand.length === 0 ? null : place(hand, { boxId, label, ...more })
}
