import { sql, type SQL } from 'drizzle-orm'
import { columnTypes, quoteName } from '../../database/replay.ts'
import { rowsOf, type Transaction } from '../../database/transaction.ts'
import type { RowImage } from '../change-set.ts'
import type { Upcast, Upcasts } from '../upcast.ts'
import type { LookUp } from '../view.ts'

/** What reading and writing a table by text needs to know of it. */
interface TableShape {
  /** Stored columns with their SQL types. */
  readonly types: ReadonlyMap<string, string>
  readonly generated: readonly string[]
}

/** The rows of a domain as text, exactly as the capture trigger writes them. One for each open database: schemas do not change meanwhile. */
export class RowImages {
  readonly #shapes = new Map<string, TableShape>()
  #upcasts: Upcasts | null = null

  /** Texts come out as the trigger writes them, whatever the connection's settings are. Once in each transaction. */
  async prepare(tx: Pick<Transaction, 'execute'>): Promise<void> {
    await tx.execute(sql`select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, YMD', true),
      set_config('bytea_output', 'hex', true)`)
  }

  /** Rows by id; those that are not there are left out. */
  async read(
    tx: Pick<Transaction, 'execute'>,
    laboratoryId: string,
    table: string,
    ids: readonly string[],
  ): Promise<ReadonlyMap<string, RowImage>> {
    const rows = await rowsOf<{ image: RowImage }>(
      tx,
      sql`select ${await this.#image(tx, table)} as image from ${nameOf(table)} t where t.laboratory_id = ${laboratoryId}::uuid
        and t.id = any (array(select each::uuid from json_array_elements_text(${JSON.stringify(ids)}::json) each))`,
    )
    return new Map(rows.map(({ image }) => [image.id ?? '', image]))
  }

  /** Answers look-ups of one table; they may be of several shapes. */
  async find(
    tx: Transaction,
    laboratoryId: string,
    table: string,
    lookUps: readonly LookUp[],
  ): Promise<readonly (readonly RowImage[])[]> {
    const answers: RowImage[][] = lookUps.map(() => [])
    const { types } = await this.#shape(tx, table)
    const image = await this.#image(tx, table)
    for (const indexes of groupByShape(lookUps)) {
      const [first] = indexes
      const pattern = first === undefined ? undefined : lookUps[first]
      if (pattern === undefined) continue
      const conditions = Object.entries(pattern.where).map(([column, value]) => {
        const name = sql`t.${sql.raw(quoteName(column))}`
        if (value === null) return sql`${name} is null`
        if (pattern.lower.includes(column)) return sql`lower(${name}::text) = wanted ->> ${column}`
        return sql`${name} = (wanted ->> ${column})::${sql.raw(types.get(column) ?? 'text')}`
      })
      const wanted = JSON.stringify(
        indexes.map((index) => ({ ...lookUps[index]?.where, '#': String(index) })),
      )
      const rows = await rowsOf<{ at: string; image: RowImage }>(
        tx,
        sql`select wanted ->> '#' as at, ${image} as image
          from json_array_elements(${wanted}::json) wanted
          join ${nameOf(table)} t on t.laboratory_id = ${laboratoryId}::uuid and ${sql.join(conditions, sql` and `)}`,
      )
      for (const row of rows) answers[Number(row.at)]?.push(row.image)
    }
    return answers
  }

  /** All rows of a laboratory, page by page in the order of their ids. */
  async page(
    tx: Transaction,
    laboratoryId: string,
    table: string,
    after: string | null,
    limit: number,
  ): Promise<readonly RowImage[]> {
    const rows = await rowsOf<{ image: RowImage }>(
      tx,
      sql`select ${await this.#image(tx, table)} as image from ${nameOf(table)} t
        where t.laboratory_id = ${laboratoryId}::uuid and (${after}::uuid is null or t.id > ${after}::uuid)
        order by t.id limit ${limit}`,
    )
    return rows.map(({ image }) => image)
  }

  /**
   * Writes whole rows of a laboratory, many in one statement; a row that is there is written over. The owner's role is bound
   * by no row-level security: a row of another laboratory is a defect, and nothing is written.
   */
  async write(
    tx: Transaction,
    laboratoryId: string,
    table: string,
    images: readonly RowImage[],
  ): Promise<void> {
    if (images.some((image) => image.laboratory_id !== laboratoryId))
      throw new Error(`A row of ${table} is not of the laboratory ${laboratoryId}`)
    for (const some of groupByColumns(images, await this.#shape(tx, table))) {
      const { columns, rows } = some
      const names = columns.map(({ name }) => quoteName(name))
      const updates = names.filter((name) => name !== '"id"' && name !== '"laboratory_id"')
      // As a record the text of a row is read once; asked for cell by cell, it is read for every cell.
      const values = columns.map(({ name, type }) => `each.${quoteName(name)}::${type}`)
      const cells = names.map((name) => `${name} text`)
      await tx.execute(sql`insert into ${nameOf(table)} (${sql.raw(names.join(', '))})
        select ${sql.raw(values.join(', '))} from json_to_recordset(${JSON.stringify(rows)}::json) as each(${sql.raw(cells.join(', '))})
        on conflict (laboratory_id, id) do update
        set ${sql.raw(updates.map((name) => `${name} = excluded.${name}`).join(', '))}`)
    }
  }

  /** How rows from before a migration are read. */
  async upcasts(tx: Pick<Transaction, 'execute'>): Promise<Upcasts> {
    this.#upcasts ??= new Map(
      (
        await rowsOf<{ name: string; upcast: Upcast }>(
          tx,
          sql`select name, upcast from platform.migration where upcast is not null order by name`,
        )
      ).map(({ name, upcast }) => [name, upcast]),
    )
    return this.#upcasts
  }

  /** A table's stored columns, each with its SQL type. */
  async typesOf(tx: Transaction, table: string): Promise<ReadonlyMap<string, string>> {
    return (await this.#shape(tx, table)).types
  }

  async #image(tx: Pick<Transaction, 'execute'>, table: string): Promise<SQL> {
    const { generated } = await this.#shape(tx, table)
    const left = generated.map((name) => `'${name.replaceAll("'", "''")}'`).join(', ')
    return sql`platform.text_image(to_jsonb(t), ${sql.raw(`array[${left}]::text[]`)})`
  }

  async #shape(tx: Pick<Transaction, 'execute'>, table: string): Promise<TableShape> {
    const known = this.#shapes.get(table)
    if (known !== undefined) return known
    const generated = await rowsOf<{ name: string }>(
      tx,
      sql`select attname as name from pg_attribute
        where attrelid = ${table}::regclass and attnum > 0 and not attisdropped and attgenerated <> ''`,
    )
    const shape = { types: await columnTypes(tx, table), generated: generated.map(({ name }) => name) }
    this.#shapes.set(table, shape)
    return shape
  }
}

function nameOf(table: string): SQL {
  return sql.raw(table.split('.').map(quoteName).join('.'))
}

/** Indexes of look-ups that one statement can answer: the same columns, compared in the same way. */
function groupByShape(lookUps: readonly LookUp[]): readonly (readonly number[])[] {
  const groups = new Map<string, number[]>()
  for (const [index, { where, lower }] of lookUps.entries()) {
    const shape = JSON.stringify([
      Object.entries(where).map(([column, value]) => [column, value === null]),
      lower,
    ])
    groups.set(shape, [...(groups.get(shape) ?? []), index])
  }
  return [...groups.values()]
}

/** Columns that are gone are left out, missing ones take their default: rows with the same columns go together. */
function groupByColumns(images: readonly RowImage[], { types }: TableShape) {
  const groups = new Map<string, { columns: { name: string; type: string }[]; rows: RowImage[] }>()
  for (const image of images) {
    const columns = Object.keys(image).flatMap((name) => {
      const type = types.get(name)
      return type === undefined ? [] : [{ name, type }]
    })
    const shape = columns.map(({ name }) => name).join()
    const group = groups.get(shape) ?? { columns, rows: [] }
    group.rows.push(image)
    groups.set(shape, group)
  }
  return groups.values()
}
