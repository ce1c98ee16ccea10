import { v7 as uuidv7 } from 'uuid'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { samplesEvents } from './contract.ts'
import type { SampleTransition } from './domain/lifecycle.ts'
import type { Occasion } from './people.ts'
import { sampleHistory } from './schema.ts'

export type HistoryRow = typeof sampleHistory.$inferInsert

/** Adds to the histories of samples. */
export async function tell(scope: WriteScope, rows: readonly HistoryRow[]): Promise<void> {
  if (rows.length > 0) await scope.tx.insert(sampleHistory).values([...rows])
}

/** A line of a sample's history. */
export function line(
  scope: WriteScope,
  sampleId: string,
  occasion: Occasion,
  said: Pick<HistoryRow, 'lane' | 'what' | 'detail'> & { readonly reason?: string | null },
): HistoryRow {
  return { laboratoryId: scope.laboratoryId, id: uuidv7(), sampleId, reason: null, ...said, ...occasion }
}

/** The line about a step of a sample's life; also announces it. */
export function stateLine(
  scope: WriteScope,
  sampleId: string,
  occasion: Occasion,
  { from, to, reason }: SampleTransition,
): HistoryRow {
  scope.announce(samplesEvents.SampleStateChanged, { sampleId, from, to })
  return line(scope, sampleId, occasion, {
    lane: 'record',
    what: 'state_changed',
    detail: { from, to },
    reason,
  })
}
