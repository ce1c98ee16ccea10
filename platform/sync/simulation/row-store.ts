import { addressOf, type RowAddress, type RowImage, splitAddress } from '../change-set.ts'
import { type LookUp, matches } from '../view.ts'

/** Tables of text rows in memory, as durable as the one who holds them says. */
export class RowStore {
  readonly #tables = new Map<string, Map<string, RowImage>>()

  row(address: RowAddress): RowImage | null {
    const { domain, table, id } = splitAddress(address)
    return this.#tables.get(`${domain}/${table}`)?.get(id) ?? null
  }

  /** Null takes the row away. */
  write(address: RowAddress, image: RowImage | null): void {
    const { domain, table, id } = splitAddress(address)
    const name = `${domain}/${table}`
    const rows = this.#tables.get(name) ?? new Map<string, RowImage>()
    this.#tables.set(name, rows)
    if (image === null) rows.delete(id)
    else rows.set(id, image)
  }

  all(domain: string, table: string): readonly RowImage[] {
    return [...(this.#tables.get(`${domain}/${table}`)?.values() ?? [])]
  }

  find(lookUp: LookUp): readonly RowImage[] {
    return this.all(lookUp.domain, lookUp.table).filter((row) => matches(row, lookUp))
  }

  /** Every row, in an order that depends on the rows alone. */
  list(): readonly (readonly [RowAddress, RowImage])[] {
    return [...this.#tables]
      .flatMap(([name, rows]) => {
        const [domain = '', table = ''] = name.split('/')
        return [...rows].map(([id, row]) => [addressOf(domain, table, id), row] as const)
      })
      .sort(([left], [right]) => (left < right ? -1 : 1))
  }
}
