import { sql } from 'drizzle-orm'
import type { DecidedNote, SyncNote } from '../sync/journaled.ts'
import { isHeld, type WorkItem } from '../sync/work-item.ts'
import type { Transaction } from './transaction.ts'

/** The entry that says it. */
interface SaidBy {
  readonly laboratoryId: string
  readonly domainSequence: number
  readonly recordedAt: string
}

/**
 * Writes what an entry says about sync into the platform's tables, in the entry's own transaction; when the entry is
 * replayed, once more.
 */
export async function applySyncNote(tx: Transaction, note: SyncNote, by: SaidBy): Promise<void> {
  switch (note.kind) {
    case 'enrolled':
      await tx.execute(sql`update platform.sync_state set laboratory_id = ${note.laboratoryId}::uuid`)
      return
    case 'installed':
      await tx.execute(sql`update platform.sync_state set laboratory_id = ${by.laboratoryId}::uuid,
        log_position = ${note.position}, log_hash = ${note.hash}`)
      return
    case 'followed':
      await tx.execute(sql`update platform.sync_state
        set log_position = ${note.position}, log_hash = ${note.hash} where log_position <= ${note.position}`)
      if (note.confirmed.length > 0) {
        await tx.execute(sql`delete from platform.pending_change
          where change_set_id in (select each::uuid from json_array_elements_text(${JSON.stringify(note.confirmed)}::json) each)`)
      }
      await keepImages(tx, note.images)
      await keepWorkItems(tx, note, by)
      return
    case 'decided':
      await keepDecided(tx, by.laboratoryId, [{ note, ...by }])
      return
  }
}

/** What the Hub decided about change sets of one laboratory, in their order. */
export async function keepDecided(
  tx: Transaction,
  laboratoryId: string,
  said: readonly (Omit<SaidBy, 'laboratoryId'> & { readonly note: DecidedNote | undefined })[],
): Promise<void> {
  // A set that waited may have been decided again since: its last fate counts.
  const fates = new Map(
    said.flatMap(({ note }) => note?.fates ?? []).map((each) => [each.changeSetId, each] as const),
  )
  await tx.execute(sql`insert into platform.change_set_fate
    select ${laboratoryId}::uuid, (each ->> 'changeSetId')::uuid, each -> 'fate' ->> 'outcome',
      each -> 'fate' ->> 'status', (each -> 'fate' ->> 'resultId')::uuid, each -> 'fate' -> 'altered'
    from jsonb_array_elements(${JSON.stringify([...fates.values()])}::jsonb) each
    on conflict (laboratory_id, change_set_id) do update set outcome = excluded.outcome, status = excluded.status,
      result_id = excluded.result_id, altered = excluded.altered`)
  for (const { note, domainSequence, recordedAt } of said) {
    if (note !== undefined && note.opens.length + note.closes.length > 0) {
      await keepWorkItems(tx, note, { laboratoryId, domainSequence, recordedAt })
    }
  }
}

async function keepImages(
  tx: Transaction,
  images: Extract<SyncNote, { kind: 'followed' }>['images'],
): Promise<void> {
  if (images.length === 0) return
  const text = JSON.stringify(images)
  await tx.execute(sql`delete from platform.hub_image h using json_array_elements(${text}::json) each
    where h.table_name = each ->> 'table' and h.row_id = (each ->> 'id')::uuid`)
  await tx.execute(sql`insert into platform.hub_image
    select each ->> 'table', (each ->> 'id')::uuid, nullif(each -> 'image', 'null')
    from jsonb_array_elements(${text}::jsonb) each where each ? 'image'`)
}

async function keepWorkItems(
  tx: Transaction,
  note: {
    readonly opens: readonly WorkItem[]
    readonly closes: readonly string[]
    readonly acknowledges: readonly string[]
  },
  by: SaidBy,
): Promise<void> {
  const { opens, closes, acknowledges } = note
  if (closes.length > 0) {
    await tx.execute(sql`update platform.work_item
      set state = case when id::text in (select json_array_elements_text(${JSON.stringify(acknowledges)}::json))
        then 'acknowledged' else 'closed' end
      where laboratory_id = ${by.laboratoryId}::uuid
        and id::text in (select json_array_elements_text(${JSON.stringify(closes)}::json))`)
  }
  if (opens.length === 0) return
  const rows = opens.map((item) => ({
    id: item.id,
    kind: item.kind,
    subject: isHeld(item) ? null : item.subject,
    changeSetId: isHeld(item) ? item.set.id : null,
    item,
  }))
  await tx.execute(sql`insert into platform.work_item
    select ${by.laboratoryId}::uuid, (each ->> 'id')::uuid, each ->> 'kind', each ->> 'subject',
      (each ->> 'changeSetId')::uuid, 'open', ${by.domainSequence}, ordinality, ${by.recordedAt}::timestamptz, each -> 'item'
    from jsonb_array_elements(${JSON.stringify(rows)}::jsonb) with ordinality as item (each, ordinality)
    on conflict (laboratory_id, id) do update set state = 'open', item = excluded.item`)
}
