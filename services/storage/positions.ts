import { type SQL, sql } from 'drizzle-orm'
import { Refusal } from '../../platform/contract/refusal.ts'
import { toInstantOrNull } from '../../platform/database/paging.ts'
import { type ReadTransaction, rowsOf } from '../../platform/database/transaction.ts'
import { positionKey } from './containers.ts'
import { type BoxPosition, parsePosition } from './domain/geometry.ts'
import { type Occupancy, readOccupancy } from './domain/occupancy.ts'
import type { Box } from './nodes.ts'

/** What some positions hold at an instant. A position that is not in `at` is available. */
export interface Occupancies {
  readonly at: ReadonlyMap<string, Occupancy>
  /** Ids of live marks by position, those of reservations that ran out included: at most one per position. */
  readonly marks: ReadonlyMap<string, string>
}

/** Positions to look at: some of a box, or all of them (null). */
export interface WantedPositions {
  readonly boxId: string
  readonly labels: readonly string[] | null
}

/** One thing at a position: a container that is or belongs there, or a mark. */
export type AtPosition = {
  readonly boxId: string
  readonly position: string
} & (
  | {
      readonly containerId: string
      readonly label: string | null
      readonly kept: boolean
      readonly markId: null
    }
  | {
      readonly containerId: null
      readonly markId: string
      readonly markKind: 'reserved' | 'out_of_use'
      readonly words: string
      readonly until: string | null
    }
)

/** Reads what positions hold, in one query. */
export async function readOccupancies(
  tx: ReadTransaction,
  wanted: readonly WantedPositions[],
  now: string,
): Promise<Occupancies> {
  if (wanted.length === 0) return { at: new Map(), marks: new Map() }
  const rows = await rowsOf<AtPosition>(
    tx,
    sql`select p.box_id::text as "boxId", p.position, p.container_id::text as "containerId", c.label, p.kept,
        null as "markId", null as "markKind", null as words, null as until
      from placement p left join container c on c.laboratory_id = p.laboratory_id and c.id = p.container_id
      where p.live and not p.contested and ${isWanted('p', wanted)}
      union all
      select m.box_id::text, m.position, null, null, null, m.id::text, m.kind, m.words, m.until::text
      from position_mark m where m.live and not m.contested and ${isWanted('m', wanted)}`,
  )
  return toOccupancies(rows, now)
}

/** A container in a position hides a mark on it: both can only come from two workstations. */
export function toOccupancies(rows: readonly AtPosition[], now: string): Occupancies {
  const at = new Map<string, Occupancy>()
  const marks = new Map<string, string>()
  for (const row of rows) {
    const key = positionKey(row.boxId, row.position)
    if (row.containerId === null) {
      marks.set(key, row.markId)
      if (!at.has(key)) at.set(key, readOccupancy(occupancyOf(row), now))
    } else {
      at.set(key, held(row))
    }
  }
  return { at, marks }
}

/** The position of a box that a label names, however it is spelled. */
export function findPosition(box: Box, label: string): BoxPosition {
  const parsed = parsePosition(label, box.format)
  if (parsed.ok) return parsed.value
  throw new Refusal('NO_SUCH_POSITION', `${box.row.name}: ${parsed.refusal.message}`, {
    position: label,
    ...box.format,
  })
}

/** All positions taken: said when a container is to go anywhere in the box. */
export function boxFull(box: Box): Refusal {
  const words = `${box.row.name} has no free position left. Nothing was changed; choose another box.`
  return new Refusal('BOX_FULL', words, { box: box.row.name })
}

function held(row: Extract<AtPosition, { readonly markId: null }>): Occupancy {
  const label = row.label ?? 'a container not known here yet'
  return row.kept
    ? { state: 'reserved', reservedFor: label, reservedUntil: null, containerId: row.containerId }
    : { state: 'occupied', containerId: row.containerId, containerLabel: label }
}

function occupancyOf(row: Extract<AtPosition, { readonly containerId: null }>): Occupancy {
  return row.markKind === 'out_of_use'
    ? { state: 'out_of_use', reason: row.words }
    : {
        state: 'reserved',
        reservedFor: row.words,
        reservedUntil: toInstantOrNull(row.until),
        containerId: null,
      }
}

function isWanted(alias: 'p' | 'm', wanted: readonly WantedPositions[]): SQL {
  const boxId = sql.raw(`${alias}.box_id`)
  const position = sql.raw(`${alias}.position`)
  const whole = wanted.filter(({ labels }) => labels === null).map((each) => sql`${each.boxId}::uuid`)
  const pairs = wanted.flatMap((each) =>
    (each.labels ?? []).map((label) => sql`(${each.boxId}::uuid, ${label}::text)`),
  )
  const parts = [
    ...(whole.length === 0 ? [] : [sql`${boxId} in (${sql.join(whole, sql`, `)})`]),
    ...(pairs.length === 0 ? [] : [sql`(${boxId}, ${position}) in (${sql.join(pairs, sql`, `)})`]),
  ]
  return parts.length === 0 ? sql`false` : sql`(${sql.join(parts, sql` or `)})`
}
