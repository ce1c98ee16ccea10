import type { TravellingRow } from '../../contract/travelling-rows.ts'
import type { Transaction } from '../../database/transaction.ts'
import type { RowImage } from '../change-set.ts'
import { RowImages } from './row-images.ts'

/** The rows of a database that go to another laboratory or come from one. */
export class TravellingTables {
  readonly #images = new RowImages()

  /** All rows of a table in which the columns have these values. */
  async read(
    tx: Transaction,
    laboratoryId: string,
    table: string,
    where: readonly Readonly<Record<string, string>>[],
  ): Promise<readonly TravellingRow[]> {
    await this.#images.prepare(tx)
    const lookUps = where.map((each) => ({ domain: '', table, where: each, lower: [] }))
    const found = (await this.#images.find(tx, laboratoryId, table, lookUps)).flat()
    const byId = new Map(found.map((row) => [row.id ?? '', row]))
    return [...byId.values()].map((row) => ({ table, row: { ...row } }))
  }

  /** Those of some rows' ids that a laboratory has, with what it has. */
  async known(
    tx: Transaction,
    laboratoryId: string,
    table: string,
    rows: readonly RowImage[],
  ): Promise<ReadonlyMap<string, RowImage>> {
    await this.#images.prepare(tx)
    return this.#images.read(
      tx,
      laboratoryId,
      table,
      rows.flatMap(({ id }) => id ?? []),
    )
  }

  /** Writes rows as a laboratory's own. What stands there already word for word is left alone; gives what was written. */
  async land(
    tx: Transaction,
    laboratoryId: string,
    table: string,
    rows: readonly RowImage[],
  ): Promise<number> {
    const known = await this.known(tx, laboratoryId, table, rows)
    const own = rows.map(({ revision: _made, ...row }) => ({ ...row, laboratory_id: laboratoryId }))
    const news = own.filter((row: RowImage) => !isSame(known.get(row.id ?? ''), row))
    if (news.length > 0) await this.#images.write(tx, laboratoryId, table, news)
    return news.length
  }

  /** Like {@link land} for facts that are never written again: only those that are not here yet. */
  async landNew(
    tx: Transaction,
    laboratoryId: string,
    table: string,
    rows: readonly RowImage[],
  ): Promise<number> {
    const known = await this.known(tx, laboratoryId, table, rows)
    return this.land(
      tx,
      laboratoryId,
      table,
      rows.filter(({ id }) => !known.has(id ?? '')),
    )
  }
}

function isSame(known: RowImage | undefined, row: RowImage): boolean {
  return known !== undefined && Object.entries(row).every(([column, value]) => known[column] === value)
}

/** The rows of one table. */
export function rowsOfTable(rows: readonly TravellingRow[], table: string): readonly RowImage[] {
  return rows.filter((each) => each.table === table).map(({ row }) => row)
}
