import { parse, type PGlite, protocol, type QueryOptions, type Results } from '@electric-sql/pglite'

type Message = Awaited<ReturnType<PGlite['execProtocolStream']>>[number]
type Parsers = PGlite['parsers']

/** A statement that PostgreSQL has parsed; without a name only until the next one is. */
interface Prepared {
  readonly name: string
  readonly parameterTypes: readonly number[]
  /** What its rows look like; null when it gives none. */
  readonly rowDescription: Message | null
  usesLeft: number
}

/** What plans cost in memory is bounded: so many statements, and none longer than this. */
const mostStatements = 150
const longestText = 4_000
const mostTextsSeen = 500
/** A plan is made for tables as large as they are at that moment, so now and then it is made anew. */
const usesOfOnePlan = 500
const changesSchema = /^(?:\s|--.*\n)*(?:create|alter|drop|do)\b/i

/**
 * Runs the statements of transactions in PGlite. Its own `query` parses, describes and plans a statement at each use, in
 * six entries into the WebAssembly, and copies its table of some six hundred type parsers each time. Here a statement
 * that comes a second time is kept prepared, and a further use is one entry.
 */
export class PreparedStatements {
  readonly #client: PGlite
  readonly #kept = new Map<string, Prepared>()
  /** Texts that came once: most of those with many parameters never come again. */
  readonly #seen = new Set<string>()
  readonly #parsers = new Map<QueryOptions['parsers'], Parsers>()
  #names = 0

  constructor(client: PGlite) {
    this.#client = client
  }

  /** Runs one statement of the transaction that is open. Rejects with PGlite's `DatabaseError`. */
  async query<T>(text: string, values: unknown[] = [], options: QueryOptions = {}): Promise<Results<T>> {
    return this.#client.runExclusive(async () => {
      const statement = await this.#prepare(text)
      const { parsers, ...rest } = options
      const bound = values.map((value, index) => this.#serialise(value, statement.parameterTypes[index]))
      const answer = await this.#send(
        protocol.serialize.bind({ statement: statement.name, values: bound }),
        protocol.serialize.execute(),
      )
      const described = statement.rowDescription === null ? answer : [statement.rowDescription, ...answer]
      if (changesSchema.test(text)) await this.#forget()
      const [results] = parse.parseResults(described, this.#withDefaults(parsers), rest)
      return results as Results<T>
    })
  }

  /** What was parsed before may have other columns now. */
  async #forget(): Promise<void> {
    this.#kept.clear()
    await this.#send(protocol.serialize.query('deallocate all'))
  }

  async #prepare(text: string): Promise<Prepared> {
    const known = this.#kept.get(text)
    if (known !== undefined) {
      this.#kept.delete(text)
      known.usesLeft -= 1
      if (known.usesLeft > 0) {
        // At the end again: the first of the map is the one that was not used for longest.
        this.#kept.set(text, known)
        return known
      }
      await this.#close(known)
    }
    if (text.length > longestText) return this.#parse('', text)
    if (known === undefined && !this.#seen.has(text)) {
      if (this.#seen.size >= mostTextsSeen) this.#seen.clear()
      this.#seen.add(text)
      return this.#parse('', text)
    }
    const [oldest] = this.#kept
    if (oldest !== undefined && this.#kept.size >= mostStatements) {
      this.#kept.delete(oldest[0])
      await this.#close(oldest[1])
    }
    this.#names += 1
    const statement = await this.#parse(`statement_${this.#names}`, text)
    this.#kept.set(text, statement)
    return statement
  }

  async #parse(name: string, text: string): Promise<Prepared> {
    const answer = await this.#send(
      protocol.serialize.parse({ name, text }),
      protocol.serialize.describe({ type: 'S', name }),
    )
    return {
      name,
      parameterTypes: parse.parseDescribeStatementResults(answer),
      rowDescription: answer.find(({ name: kind }) => kind === 'rowDescription') ?? null,
      usesLeft: usesOfOnePlan,
    }
  }

  async #close({ name }: Prepared): Promise<void> {
    await this.#send(protocol.serialize.close({ type: 'S', name }))
  }

  /** Sends messages as one; the Sync at their end lets PostgreSQL read on after an error. */
  async #send(...parts: readonly Uint8Array[]): Promise<Message[]> {
    const whole = Buffer.concat([...parts, protocol.serialize.sync()])
    return this.#client.execProtocolStream(whole, { syncToFs: false })
  }

  #serialise(value: unknown, type: number | undefined): string | null {
    if (value === null || value === undefined) return null
    if (typeof value === 'string') return value
    const serialiser = type === undefined ? undefined : this.#client.serializers[type]
    if (serialiser !== undefined) return serialiser(value)
    if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean')
      return String(value)
    throw new Error(`No way is known to write such a value as the type ${type ?? 0}`)
  }

  #withDefaults(parsers: QueryOptions['parsers']): Parsers {
    const known = this.#parsers.get(parsers)
    if (known !== undefined) return known
    const given: QueryOptions['parsers'] = Object.fromEntries(
      Object.entries(parsers ?? {}).filter(([, parser]) => parser !== undefined),
    )
    const all = Object.assign({}, this.#client.parsers, given)
    this.#parsers.set(parsers, all)
    return all
  }
}
