import { sql } from 'drizzle-orm'
import type { RowChange, RowImage } from '../sync/change-set.ts'
import { type Upcast, upcastChange, upcastImage } from '../sync/upcast.ts'
import { rowsOf, type Transaction } from './transaction.ts'

/**
 * Brings what waits for the Hub into the columns of now, in the transaction of the migration that changed them. The journal
 * keeps its entries as they were written; each says under which migrations that was.
 */
export async function upcastWaiting(tx: Transaction, upcast: Upcast): Promise<void> {
  const tables = JSON.stringify(Object.keys(upcast))
  const changes = await rowsOf<{ sequence: string; ordinal: number; change: RowChange }>(
    tx,
    sql`select domain_sequence::text as sequence, ordinal, change from platform.pending_change
      where table_name in (select json_array_elements_text(${tables}::json))`,
  )
  const changed = changes.map((each) => ({ ...each, change: upcastChange(each.change, upcast) }))
  await tx.execute(sql`update platform.pending_change p set change = each -> 'change'
    from jsonb_array_elements(${JSON.stringify(changed)}::jsonb) each
    where p.domain_sequence = (each ->> 'sequence')::bigint and p.ordinal = (each ->> 'ordinal')::int`)
  const images = await rowsOf<{ table: string; id: string; image: RowImage }>(
    tx,
    sql`select table_name as table, row_id::text as id, image from platform.hub_image
      where image is not null and table_name in (select json_array_elements_text(${tables}::json))`,
  )
  const imaged = images.map((each) => ({ ...each, image: upcastImage(each.image, each.table, upcast) }))
  await tx.execute(sql`update platform.hub_image h set image = each -> 'image'
    from jsonb_array_elements(${JSON.stringify(imaged)}::jsonb) each
    where h.table_name = each ->> 'table' and h.row_id = (each ->> 'id')::uuid`)
}
