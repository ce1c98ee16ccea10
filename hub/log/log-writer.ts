import type { ClientBase } from 'pg'
import { z } from 'zod'
import { epochEntry, type EpochRequest } from '../../platform/journal/announcement.ts'
import {
  assertEntryIsSound,
  checkpointBytes,
  GENESIS_HASH,
  hashEntry,
  hashPayload,
  JOURNAL_DOMAIN,
  type NewJournalEntry,
} from '../../platform/journal/entry.ts'
import { JournalError } from '../../platform/journal/journal-error.ts'
import type { AppendResult, JournalEpoch } from '../../platform/journal/journal-store.ts'
import type { WorkstationKey } from '../../platform/journal/workstation-key.ts'
import { NO_LABORATORY } from './log-schema.ts'

/** The end of one laboratory's chain. */
interface ChainEnd {
  readonly position: number
  readonly hash: Uint8Array
}

/** Where the log stands. Known to whoever holds the sequencer's lock, and to nobody else. */
interface Ends {
  sequence: number
  epoch: number
  readonly chains: Map<string, ChainEnd>
  readonly domains: Map<string, number>
}

/** One entry as it is inserted. */
interface Placed {
  readonly entry: NewJournalEntry
  readonly sequence: number
  readonly laboratoryId: string
  readonly position: number
  readonly payloadHash: Uint8Array
  readonly hash: Uint8Array
}

const LaboratoryOfPayload = z.object({ body: z.object({ laboratoryId: z.string().nullish() }) })
const GapOfPayload = z.object({
  body: z.object({ lostFrom: z.int().min(1), lostTo: z.int().min(1) }),
})
const Ended = z.object({
  laboratory_id: z.string(),
  position: z.string().transform(Number),
  hash: z.instanceof(Buffer),
})

/**
 * The sequencer: gives entries their dense positions and hashes, in the order of their domains. It works on the one
 * connection that holds the lock, so what it remembers of the log's end stays true.
 */
export class LogWriter {
  readonly #client: ClientBase
  readonly #key: WorkstationKey
  #ends: Ends
  #unsigned = new Set<string>()

  private constructor(client: ClientBase, key: WorkstationKey, ends: Ends) {
    this.#client = client
    this.#key = key
    this.#ends = ends
  }

  static async open(client: ClientBase, key: WorkstationKey): Promise<LogWriter> {
    return new LogWriter(client, key, await readEnds(client))
  }

  get head(): number {
    return this.#ends.sequence
  }

  /**
   * Appends entries in one transaction, each with its own answer. An entry that is refused leaves the others alone; a
   * database that fails takes none of them, and the writer must then be opened anew.
   */
  async append(entries: readonly NewJournalEntry[]): Promise<readonly (AppendResult | JournalError)[]> {
    const ends = copyEnds(this.#ends)
    const known = await this.#knownHashes(entries.filter((entry) => isOld(entry, ends)))
    const placed: Placed[] = []
    const answers = entries.map((entry) => {
      try {
        assertEntryIsSound(entry)
        const payloadHash = hashPayload(entry.payload)
        if (isOld(entry, ends)) return answerAgain(entry, payloadHash, known, placed)
        const one = place(entry, payloadHash, ends)
        placed.push(one)
        return { sequence: one.sequence, hash: Buffer.from(one.hash).toString('hex') }
      } catch (error) {
        if (error instanceof JournalError) return error
        throw error
      }
    })
    if (placed.length > 0) await this.#insert(placed)
    this.#ends = ends
    for (const { laboratoryId } of placed) this.#unsigned.add(laboratoryId)
    return answers
  }

  /** Announces that the log was begun anew, and why. */
  async startEpoch(request: EpochRequest): Promise<JournalEpoch> {
    const { rows } = await this.#client.query<{ started_at: string; reason: string; at: string }>(
      'select started_at, reason, started_at_sequence::text as at from epoch order by number desc limit 1',
    )
    const [last] = rows
    if (request.unlessSince !== undefined && last !== undefined && last.started_at >= request.unlessSince) {
      const { started_at: startedAt, reason, at } = last
      return { number: this.#ends.epoch, startedAtSequence: Number(at), startedAt, reason, gaps: [] }
    }
    const number = this.#ends.epoch + 1
    const domainSequence = (this.#ends.domains.get(JOURNAL_DOMAIN) ?? 0) + 1
    const entry = epochEntry(request, { number, domainSequence })
    const ends = copyEnds(this.#ends)
    const one = place(entry, hashPayload(entry.payload), ends)
    await this.#insert([one])
    await this.#client.query('insert into epoch values ($1, $2, $3, $4)', [
      number,
      one.sequence,
      request.recordedAt,
      request.reason,
    ])
    this.#ends = { ...ends, epoch: number }
    const { recordedAt: startedAt, reason } = request
    return { number, startedAtSequence: one.sequence, startedAt, reason, gaps: [] }
  }

  /** Signs the end of every chain that has grown since. */
  async signCheckpoints(now: string): Promise<number> {
    for (const laboratoryId of this.#unsigned) {
      const end = this.#ends.chains.get(laboratoryId)
      if (end === undefined) continue
      await this.#client.query(
        'insert into checkpoint values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing',
        [
          laboratoryId,
          end.position,
          Buffer.from(end.hash),
          this.#key.publicKey,
          this.#key.fingerprint,
          this.#key.sign('journal-checkpoint', checkpointBytes(end.position, end.hash)),
          now,
        ],
      )
    }
    const signed = this.#unsigned.size
    this.#unsigned = new Set()
    return signed
  }

  async #knownHashes(
    entries: readonly NewJournalEntry[],
  ): Promise<ReadonlyMap<string, AppendResult & { readonly payloadHash: string }>> {
    if (entries.length === 0) return new Map()
    const { rows } = await this.#client.query<{
      domain: string
      domain_sequence: string
      sequence: string
      hash: Buffer
      payload_hash: Buffer
    }>(
      `select domain, domain_sequence::text, sequence::text, hash, payload_hash from entry
       where (domain, domain_sequence) in (select * from unnest($1::text[], $2::bigint[]))`,
      [entries.map(({ domain }) => domain), entries.map(({ domainSequence }) => domainSequence)],
    )
    return new Map(
      rows.map((row) => [
        `${row.domain} ${row.domain_sequence}`,
        {
          sequence: Number(row.sequence),
          hash: row.hash.toString('hex'),
          payloadHash: row.payload_hash.toString('hex'),
        },
      ]),
    )
  }

  async #insert(placed: readonly Placed[]): Promise<void> {
    const gaps = placed.filter(({ entry }) => entry.kind === 'gap')
    await this.#client.query('begin')
    try {
      await this.#client.query(
        `insert into entry select sequence, laboratory_id, position, kind, domain, domain_sequence, change_set_id, origin,
           actor_id, workstation_id, hybrid_logical_time, reason, correlation_id, recorded_at,
           array(select json_array_elements_text(event_names)), decode(payload_hash, 'hex'), decode(hash, 'hex'), payload
         from json_to_recordset($1::json) as one (sequence bigint, laboratory_id uuid, position bigint, kind text, domain text,
           domain_sequence bigint, change_set_id text, origin text, actor_id text, workstation_id text,
           hybrid_logical_time text, reason text, correlation_id text, recorded_at text, event_names json,
           payload_hash text, hash text, payload text)`,
        [JSON.stringify(placed.map(toRow))],
      )
      for (const { entry, sequence } of gaps) {
        const { body } = GapOfPayload.parse(JSON.parse(entry.payload))
        await this.#client.query('insert into gap values ($1, $2, $3, $4, $5)', [
          sequence,
          this.#ends.epoch,
          entry.domain,
          body.lostFrom,
          body.lostTo,
        ])
      }
      await this.#client.query('commit')
    } catch (error) {
      await this.#client.query('rollback').catch(() => undefined)
      throw error
    }
  }
}

async function readEnds(client: ClientBase): Promise<Ends> {
  const { rows: chains } = await client.query(
    'select distinct on (laboratory_id) laboratory_id, position::text as position, hash from entry order by laboratory_id, entry.position desc',
  )
  const { rows: domains } = await client.query<{ domain: string; last: string }>(
    'select domain, max(domain_sequence)::text as last from entry group by domain',
  )
  const { rows: heads } = await client.query<{ sequence: string; epoch: number }>(
    `select coalesce((select max(sequence) from entry), 0)::text as sequence,
       coalesce((select max(number) from epoch), 1) as epoch`,
  )
  return {
    sequence: Number(heads[0]?.sequence ?? 0),
    epoch: heads[0]?.epoch ?? 1,
    chains: new Map(
      chains.map((row) => {
        const { laboratory_id: laboratoryId, position, hash } = Ended.parse(row)
        return [laboratoryId, { position, hash }]
      }),
    ),
    domains: new Map(domains.map(({ domain, last }) => [domain, Number(last)])),
  }
}

function copyEnds(ends: Ends): Ends {
  return { ...ends, chains: new Map(ends.chains), domains: new Map(ends.domains) }
}

function isOld(entry: NewJournalEntry, ends: Ends): boolean {
  return entry.domainSequence <= (ends.domains.get(entry.domain) ?? 0)
}

/** Gives an entry its place behind everything that has one. */
function place(entry: NewJournalEntry, payloadHash: Uint8Array, ends: Ends): Placed {
  const expected = (ends.domains.get(entry.domain) ?? 0) + 1
  const body: unknown = JSON.parse(entry.payload)
  const first = entry.kind === 'gap' ? GapOfPayload.parse(body).body.lostFrom : entry.domainSequence
  if (first !== expected) {
    throw new JournalError(
      'DOMAIN_SEQUENCE_GAP',
      `Entry ${entry.domainSequence} of ${entry.domain} is out of turn: the next one is ${expected}`,
    )
  }
  const laboratoryId = laboratoryOf(body)
  const end = ends.chains.get(laboratoryId) ?? { position: 0, hash: GENESIS_HASH }
  const position = end.position + 1
  const hash = hashEntry(end.hash, position, payloadHash)
  ends.sequence += 1
  ends.chains.set(laboratoryId, { position, hash })
  ends.domains.set(entry.domain, entry.domainSequence)
  return { entry, sequence: ends.sequence, laboratoryId, position, payloadHash, hash }
}

function laboratoryOf(payload: unknown): string {
  const id = LaboratoryOfPayload.parse(payload).body.laboratoryId ?? ''
  return id === '' ? NO_LABORATORY : id
}

/** The same entry again answers as the first time; another one in its place is a second history. */
function answerAgain(
  entry: NewJournalEntry,
  payloadHash: Uint8Array,
  known: ReadonlyMap<string, AppendResult & { readonly payloadHash: string }>,
  placed: readonly Placed[],
): AppendResult {
  const ours = Buffer.from(payloadHash).toString('hex')
  const now = placed.find(
    (one) => one.entry.domain === entry.domain && one.entry.domainSequence === entry.domainSequence,
  )
  const before =
    now === undefined
      ? known.get(`${entry.domain} ${entry.domainSequence}`)
      : {
          sequence: now.sequence,
          hash: Buffer.from(now.hash).toString('hex'),
          payloadHash: Buffer.from(now.payloadHash).toString('hex'),
        }
  if (before === undefined) {
    throw new JournalError(
      'DOMAIN_SEQUENCE_GAP',
      `Entry ${entry.domainSequence} of ${entry.domain} lies in a gap that was announced`,
    )
  }
  if (before.payloadHash !== ours) {
    throw new JournalError(
      'FORK',
      `The log has another entry ${entry.domainSequence} of ${entry.domain}: two histories exist`,
    )
  }
  return { sequence: before.sequence, hash: before.hash }
}

function toRow({ entry, sequence, laboratoryId, position, payloadHash, hash }: Placed) {
  return {
    sequence,
    laboratory_id: laboratoryId,
    position,
    kind: entry.kind,
    domain: entry.domain,
    domain_sequence: entry.domainSequence,
    change_set_id: entry.changeSetId,
    origin: entry.origin,
    actor_id: entry.actorId,
    workstation_id: entry.workstationId,
    hybrid_logical_time: entry.hybridLogicalTime,
    reason: entry.reason,
    correlation_id: entry.correlationId,
    recorded_at: entry.recordedAt,
    event_names: entry.eventNames,
    payload_hash: Buffer.from(payloadHash).toString('hex'),
    hash: Buffer.from(hash).toString('hex'),
    payload: entry.payload,
  }
}
