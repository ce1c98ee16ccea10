import { sql } from 'drizzle-orm'
import type { DomainDatabase } from '../../../platform/database/domain-database.ts'

/**
 * Fills a laboratory's table with as many samples as asked for, by the database itself: each with a code, a movement
 * and a line of history. Sample number n has the id, name, code and so on that its number says.
 */
export async function fillWithSamples(
  database: Pick<DomainDatabase, 'asOwner'>,
  laboratoryId: string,
  many: number,
): Promise<void> {
  // These rows are no change set that a journal should hear of.
  for (const table of tables) {
    await database.asOwner((tx) => tx.execute(sql.raw(`alter table ${table} disable trigger capture_change`)))
  }
  for (let from = 0; from < many; from += rowsPerTransaction) {
    await database.asOwner(async (tx) => {
      await tx.execute(sql`select set_config('tracseq.change_set_id', ${fillingChangeSet}, true)`)
      const numbers = sql`generate_series(${from + 1}::int, ${Math.min(from + rowsPerTransaction, many)}::int) as n`
      const row = sql`${laboratoryId}::uuid, ${sampleIdOf(sql`n`)}::uuid`
      const who = sql`'2026-01-01T00:00:00Z'::timestamptz + n * interval '1 second', 'RK', 'RK'`
      await tx.execute(sql`insert into sample (laboratory_id, id, name, type, state, client_id, donor, project,
          collected_on, priority, extra, code, import_id, created_at, created_by, created_by_id, updated_at, written_revision)
        select ${row}, 'Patient ' || (n % 1000) || ' draw ' || n, (array['blood', 'rna', 'dna'])[n % 3 + 1],
          (array['pending', 'validated', 'in_storage', 'deleted'])[n % 4 + 1], 'C-' || n, 'D-' || (n % 500),
          'Project ' || (n % 20), case when n % 5 = 0 then null else '2026-01-01'::date + (n % 300) end, 'normal', '{}',
          'TS-TEST-' || lpad(n::text, 7, '0') || '-X', case when n % 100 = 0 then ${sampleIdOf(sql`n / 1000`)}::uuid end,
          ${who}, now(), ${fillingChangeSet}::uuid
        from ${numbers}`)
      await tx.execute(sql`insert into amount_movement (laboratory_id, id, sample_id, quantity, kind, value, covers, reason, at, by, by_id)
        select ${row}, ${sampleIdOf(sql`n`)}::uuid, 'volume_ul', 'corrected', n % 50, '[]', 'given', ${who} from ${numbers}`)
      await tx.execute(sql`insert into sample_history (laboratory_id, id, sample_id, lane, what, detail, at, by, by_id)
        select ${row}, ${sampleIdOf(sql`n`)}::uuid, 'record', 'accessioned', '{}', ${who} from ${numbers}`)
      await tx.execute(sql`insert into sample_container (laboratory_id, id, sample_id, state, by_receive)
        select ${row}, ${sampleIdOf(sql`n`)}::uuid, 'unplaced', true from ${numbers}`)
      await tx.execute(sql`insert into sample_code (laboratory_id, id, code, thing_kind, thing_id, live, linked_at)
        select ${row}, 'TS-TEST-' || lpad(n::text, 7, '0') || '-X', 'container', ${sampleIdOf(sql`n`)}, true, now()
        from ${numbers}`)
    })
    // The log of what bypasses the domain's own way of writing is nobody's to bound: a million samples left 4 GB of it.
    await database.asOwner((tx) => tx.execute(sql`checkpoint`))
  }
  for (const table of tables) {
    await database.asOwner((tx) =>
      tx.execute(sql.raw(`alter table ${table} enable always trigger capture_change`)),
    )
    await database.asOwner((tx) => tx.execute(sql.raw(`analyze ${table}`)))
  }
}

/** The id of the sample with a number. */
export function sampleId(number: number): string {
  return `00000000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`
}

const tables = ['sample', 'amount_movement', 'sample_history', 'sample_container', 'sample_code']
const rowsPerTransaction = 10_000
const fillingChangeSet = '00000000-0000-7000-9000-000000000000'

function sampleIdOf(number: ReturnType<typeof sql>) {
  return sql`('00000000-0000-7000-8000-' || lpad(to_hex(${number}), 12, '0'))`
}
