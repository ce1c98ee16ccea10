import { z } from 'zod'
import { epochEntry, type EpochRequest } from './announcement.ts'
import {
  assertEntryIsSound,
  checkpointBytes,
  describeIssue,
  GENESIS_HASH,
  hashEntry,
  hashPayload,
  JOURNAL_DOMAIN,
} from './entry.ts'
import type { JournalEntry, NewJournalEntry } from './entry.ts'
import { ENTRY_COLUMNS, entryFromRow } from './entry-row.ts'
import type { EntryRow } from './entry-row.ts'
import type { Connection } from './journal-connection.ts'
import { JournalError } from './journal-error.ts'
import type { WorkstationKey } from './workstation-key.ts'

export interface AppendResult {
  readonly sequence: number
  readonly hash: string
}

export interface DomainHead {
  readonly domainSequence: number
  readonly sequence: number
  readonly hash: string
  readonly payloadHash: string
}

export interface JournalHead {
  readonly sequence: number
  readonly hash: string
}

export interface JournalCheckpoint {
  readonly sequence: number
  readonly hash: string
  readonly publicKey: string
  readonly keyFingerprint: string
  readonly signature: string
  readonly signedAt: string
}

export interface EpochGap {
  readonly domain: string
  readonly lostFrom: number
  readonly lostTo: number
  /** The gap entry's own sequence. */
  readonly sequence: number
}

/** One unbroken run of the journal. Number 1 is the first start; every later one is announced by an entry of kind `epoch`. */
export interface JournalEpoch {
  readonly number: number
  readonly startedAtSequence: number
  readonly startedAt: string
  readonly reason: string
  readonly gaps: readonly EpochGap[]
}

export interface ReadRequest {
  readonly afterSequence: number
  readonly domain?: string
  readonly eventNames?: readonly string[]
  readonly limit: number
}

export interface ReadDomainRequest {
  readonly domain: string
  readonly afterDomainSequence: number
  readonly limit: number
}

export interface JournalStoreOptions {
  /** Null signs nothing. */
  readonly key: WorkstationKey | null
  /** A checkpoint is signed after this many entries. */
  readonly checkpointEvery: number
  readonly now: () => string
}

const GapBody = z.object({
  body: z.object({ lostFrom: z.int().min(1), lostTo: z.int().min(1), reason: z.string().min(1) }),
})
const EpochGaps = z.array(
  z.object({ domain: z.string(), lostFrom: z.int(), lostTo: z.int(), sequence: z.int() }),
)

/** One reading answer carries about this many payload bytes, so that a reader never holds up an append for long. */
const READ_BYTES = 8 * 1024 * 1024
const READ_ROWS = 500

const EPOCH_DUE = 'epoch_due'

/**
 * The entries, epochs and checkpoints of one open journal file. Everything is synchronous; writing methods are called
 * inside `transaction`, which is the unit that is fsynced. A method that throws JournalError has written nothing.
 */
export class JournalStore {
  readonly connection: Connection
  readonly options: JournalStoreOptions
  readonly #statements: ReturnType<typeof prepareStatements>
  readonly #domainHeads = new Map<string, DomainHead | null>()
  #head: JournalHead | null | undefined
  #checkpointedAt: number | undefined

  constructor(connection: Connection, options: JournalStoreOptions) {
    this.connection = connection
    this.options = options
    this.#statements = prepareStatements(connection)
  }

  /** Runs the work in one transaction; when it returns, the disk has it. */
  transaction<Result>(work: () => Result): Result {
    try {
      return this.connection.transaction(work).immediate()
    } catch (error) {
      this.forgetHeads()
      throw error
    }
  }

  /** Drops what is remembered about the file's end, after a rollback. */
  forgetHeads(): void {
    this.#domainHeads.clear()
    this.#head = undefined
    this.#checkpointedAt = undefined
  }

  /**
   * Adds the entry to the chain. The same entry again answers as the first time; another payload under the same domain
   * sequence is a FORK; a number out of turn is a DOMAIN_SEQUENCE_GAP.
   */
  append(entry: NewJournalEntry): AppendResult {
    assertEntryIsSound(entry)
    if (entry.kind === 'epoch' || entry.domain === JOURNAL_DOMAIN)
      throw new JournalError('INVALID_ENTRY', 'Journal entry refused: epochs are announced with startEpoch')
    const lost = entry.kind === 'gap' ? parseGap(entry) : null
    const payloadHash = hashPayload(entry.payload)
    const expected = (this.domainHead(entry.domain)?.domainSequence ?? 0) + 1
    if (entry.domainSequence < expected) return this.#answerAgain(entry, payloadHash, expected)
    if ((lost?.lostFrom ?? entry.domainSequence) !== expected)
      throw outOfTurn(entry, expected, `the next one of ${entry.domain} is ${expected}`)
    const result = this.#insert(entry, payloadHash)
    if (lost !== null)
      this.#listGap({
        domain: entry.domain,
        lostFrom: lost.lostFrom,
        lostTo: lost.lostTo,
        sequence: result.sequence,
      })
    return result
  }

  /** Begins a new epoch: one entry in the chain and one row in the epoch table, in the same transaction. */
  startEpoch(request: EpochRequest): JournalEpoch {
    const last = this.epochs().at(-1)
    // The first one is nobody's announcement: it comes with the first entry.
    if (request.unlessSince !== undefined && last !== undefined && last.number > 1)
      if (last.startedAt >= request.unlessSince) return last
    const number = (this.#statements.lastEpochNumber.get() ?? 1) + 1
    const domainSequence = (this.domainHead(JOURNAL_DOMAIN)?.domainSequence ?? 0) + 1
    const entry = epochEntry(request, { number, domainSequence })
    this.#ensureFirstEpoch(request.recordedAt)
    const { sequence } = this.#insert(entry, hashPayload(entry.payload))
    this.#statements.putEpoch.run(number, sequence, request.recordedAt, request.reason, '[]')
    this.#statements.deleteMeta.run(EPOCH_DUE)
    return {
      number,
      startedAtSequence: sequence,
      startedAt: request.recordedAt,
      reason: request.reason,
      gaps: [],
    }
  }

  /** Notes that a new epoch must be announced and why; stays until `startEpoch`, also over a crash. */
  noteEpochDue(reason: string): void {
    this.#statements.putMeta.run(EPOCH_DUE, reason)
  }

  epochDue(): string | null {
    return this.#statements.getMeta.get(EPOCH_DUE) ?? null
  }

  epochs(): readonly JournalEpoch[] {
    return this.#statements.allEpochs
      .all()
      .map((row) => ({ ...row, gaps: EpochGaps.parse(JSON.parse(row.gaps)) }))
  }

  head(): JournalHead | null {
    if (this.#head === undefined) {
      const row = this.#statements.head.get()
      this.#head = row === undefined ? null : { sequence: row.sequence, hash: row.hash.toString('hex') }
    }
    return this.#head
  }

  domainHead(domain: string): DomainHead | null {
    const known = this.#domainHeads.get(domain)
    if (known !== undefined) return known
    const row = this.#statements.domainHead.get(domain)
    const head =
      row === undefined
        ? null
        : {
            domainSequence: row.domain_sequence,
            sequence: row.sequence,
            hash: row.hash.toString('hex'),
            payloadHash: row.payload_hash.toString('hex'),
          }
    this.#domainHeads.set(domain, head)
    return head
  }

  /** Every domain that has an entry. */
  domains(): readonly string[] {
    return this.#statements.domains.all()
  }

  entryAt(domain: string, domainSequence: number): JournalEntry | null {
    const row = this.#statements.entryAt.get(domain, domainSequence)
    return row === undefined ? null : entryFromRow(row)
  }

  entry(sequence: number): JournalEntry | null {
    const row = this.#statements.entry.get(sequence)
    return row === undefined ? null : entryFromRow(row)
  }

  /** Entries in journal order. May answer fewer than the limit; only an empty answer means the end. */
  read(request: ReadRequest): readonly JournalEntry[] {
    const limit = Math.min(request.limit, READ_ROWS)
    if (request.eventNames !== undefined) {
      const sequences = this.#sequencesOfEvents(
        request.eventNames,
        request.domain,
        request.afterSequence,
        limit,
      )
      return this.#collect(sequences.map((sequence) => this.#statements.entry.get(sequence)))
    }
    return this.#collect(
      request.domain === undefined
        ? this.#statements.readAfter.iterate(request.afterSequence, limit)
        : this.#statements.readDomainAfter.iterate(request.domain, request.afterSequence, limit),
    )
  }

  /** Entries of one domain in its own order. May answer fewer than the limit; only an empty answer means the end. */
  readDomain(request: ReadDomainRequest): readonly JournalEntry[] {
    return this.#collect(
      this.#statements.readDomain.iterate(
        request.domain,
        request.afterDomainSequence,
        Math.min(request.limit, READ_ROWS),
      ),
    )
  }

  /** Takes the payload away and leaves its hash, so that the chain still verifies. False when it was gone already. */
  removePayload(sequence: number): boolean {
    return this.#statements.removePayload.run(sequence).changes > 0
  }

  /** Signs the current end when the last signature is old enough, or always with `force`. Null when there is nothing new. */
  signCheckpoint(force: boolean): JournalCheckpoint | null {
    const { key, now } = this.options
    if (key === null) return null
    const head = this.head()
    this.#checkpointedAt ??= this.#statements.lastCheckpoint.get() ?? 0
    const due = (head?.sequence ?? 0) - this.#checkpointedAt
    if (head === null || due <= 0 || (!force && due < this.options.checkpointEvery)) return null
    const hash = Buffer.from(head.hash, 'hex')
    const checkpoint = {
      sequence: head.sequence,
      hash: head.hash,
      publicKey: key.publicKey,
      keyFingerprint: key.fingerprint,
      signature: key.sign('journal-checkpoint', checkpointBytes(head.sequence, hash)),
      signedAt: now(),
    }
    this.#insertCheckpoint(checkpoint)
    return checkpoint
  }

  /** The newest signed checkpoints first. */
  checkpoints(limit: number): readonly JournalCheckpoint[] {
    return this.#statements.checkpoints
      .all(limit)
      .map((row) => ({ ...row, hash: Buffer.from(row.hash).toString('hex') }))
  }

  /** Writes one small row: throws while the disk takes nothing. */
  probe(): void {
    this.transaction(() => this.#statements.putMeta.run('probed_at', this.options.now()))
  }

  /** Copies a checked row of another journal file as it stands, with its hash. */
  carryEntry(row: EntryRow, eventNames: readonly string[]): void {
    this.#insertRow(row, eventNames)
    this.forgetHeads()
  }

  carryEpoch(epoch: JournalEpoch): void {
    const { number, startedAtSequence, startedAt, reason, gaps } = epoch
    this.#statements.putEpoch.run(number, startedAtSequence, startedAt, reason, JSON.stringify(gaps))
  }

  carryCheckpoint(checkpoint: JournalCheckpoint): void {
    this.#insertCheckpoint(checkpoint)
  }

  #answerAgain(entry: NewJournalEntry, payloadHash: Buffer, expected: number): AppendResult {
    const existing = this.#statements.entryAt.get(entry.domain, entry.domainSequence)
    if (existing === undefined)
      throw outOfTurn(
        entry,
        expected,
        `it lies inside an announced gap; the next one of ${entry.domain} is ${expected}`,
      )
    if (!existing.payload_hash.equals(payloadHash))
      throw new JournalError(
        'FORK',
        `The journal already has another entry ${entry.domainSequence} of ${entry.domain}: two histories exist. Nothing was written.`,
        {
          domain: entry.domain,
          domainSequence: entry.domainSequence,
          sequence: existing.sequence,
          existingPayloadHash: existing.payload_hash.toString('hex'),
          givenPayloadHash: payloadHash.toString('hex'),
        },
      )
    return { sequence: existing.sequence, hash: existing.hash.toString('hex') }
  }

  #insert(entry: NewJournalEntry, payloadHash: Buffer): AppendResult {
    const head = this.head()
    const sequence = (head?.sequence ?? 0) + 1
    const hash = hashEntry(
      head === null ? GENESIS_HASH : Buffer.from(head.hash, 'hex'),
      sequence,
      payloadHash,
    )
    this.#insertRow(
      {
        sequence,
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
        event_names: JSON.stringify(entry.eventNames),
        payload_hash: payloadHash,
        hash,
        payload: entry.payload,
      },
      entry.eventNames,
    )
    const result = { sequence, hash: hash.toString('hex') }
    this.#head = result
    this.#domainHeads.set(entry.domain, {
      ...result,
      domainSequence: entry.domainSequence,
      payloadHash: payloadHash.toString('hex'),
    })
    return result
  }

  #insertRow(row: InsertableRow, eventNames: readonly string[]): void {
    if (row.sequence === 1) this.#ensureFirstEpoch(row.recorded_at)
    this.#statements.insertEntry.run({
      ...row,
      payload: typeof row.payload === 'string' ? row.payload : (row.payload?.toString('utf8') ?? null),
    })
    for (const name of new Set(eventNames)) this.#statements.insertEvent.run(name, row.sequence, row.domain)
  }

  #insertCheckpoint(checkpoint: JournalCheckpoint): void {
    this.#statements.insertCheckpoint.run(
      checkpoint.sequence,
      Buffer.from(checkpoint.hash, 'hex'),
      checkpoint.publicKey,
      checkpoint.keyFingerprint,
      checkpoint.signature,
      checkpoint.signedAt,
    )
    this.#checkpointedAt = checkpoint.sequence
  }

  #ensureFirstEpoch(startedAt: string): void {
    if ((this.#statements.lastEpochNumber.get() ?? null) === null)
      this.#statements.putEpoch.run(1, 1, startedAt, 'first start', '[]')
  }

  #listGap(gap: EpochGap): void {
    const epoch = this.epochs().at(-1)
    if (epoch === undefined)
      throw new JournalError('DEFECT', 'A gap was appended to a journal without an epoch')
    this.#statements.updateEpochGaps.run(JSON.stringify([...epoch.gaps, gap]), epoch.number)
  }

  #sequencesOfEvents(
    names: readonly string[],
    domain: string | undefined,
    after: number,
    limit: number,
  ): readonly number[] {
    const found = new Set(
      names.flatMap((name) =>
        this.#statements.eventsAfter.all({ name, domain: domain ?? null, after, limit }),
      ),
    )
    return [...found].sort((left, right) => left - right).slice(0, limit)
  }

  #collect(rows: Iterable<EntryRow | undefined>): readonly JournalEntry[] {
    const entries: JournalEntry[] = []
    let bytes = 0
    for (const row of rows) {
      if (row === undefined) continue
      entries.push(entryFromRow(row))
      bytes += row.payload?.length ?? 0
      if (bytes >= READ_BYTES) break
    }
    return entries
  }
}

type InsertableRow = Omit<EntryRow, 'payload'> & { readonly payload: string | Buffer | null }

type EpochRow = Omit<JournalEpoch, 'gaps'> & { readonly gaps: string }
type CheckpointRow = Omit<JournalCheckpoint, 'hash'> & { readonly hash: Buffer }

function prepareStatements(connection: Connection) {
  return {
    insertEntry: connection.prepare<[Omit<EntryRow, 'payload'> & { payload: string | null }]>(
      `INSERT INTO journal_entry (sequence, kind, domain, domain_sequence, change_set_id, origin, actor_id, workstation_id,
         hybrid_logical_time, reason, correlation_id, recorded_at, event_names, payload_hash, hash, payload)
       VALUES (@sequence, @kind, @domain, @domain_sequence, @change_set_id, @origin, @actor_id, @workstation_id,
         @hybrid_logical_time, @reason, @correlation_id, @recorded_at, @event_names, @payload_hash, @hash, @payload)`,
    ),
    insertEvent: connection.prepare<[string, number, string]>(
      'INSERT INTO journal_event (name, sequence, domain) VALUES (?, ?, ?)',
    ),
    head: connection.prepare<[], Pick<EntryRow, 'sequence' | 'hash'>>(
      'SELECT sequence, hash FROM journal_entry ORDER BY sequence DESC LIMIT 1',
    ),
    domainHead: connection.prepare<
      [string],
      Pick<EntryRow, 'sequence' | 'hash' | 'domain_sequence' | 'payload_hash'>
    >(
      `SELECT sequence, hash, domain_sequence, payload_hash FROM journal_entry
       WHERE domain = ? ORDER BY domain_sequence DESC LIMIT 1`,
    ),
    // Jumps from domain to domain on the index instead of walking every entry.
    domains: connection
      .prepare<[], string>(
        `WITH RECURSIVE known(domain) AS (
           SELECT min(domain) FROM journal_entry
           UNION ALL
           SELECT (SELECT min(domain) FROM journal_entry WHERE domain > known.domain) FROM known WHERE known.domain IS NOT NULL
         ) SELECT domain FROM known WHERE domain IS NOT NULL`,
      )
      .pluck(),
    entryAt: connection.prepare<[string, number], EntryRow>(
      `SELECT ${ENTRY_COLUMNS} FROM journal_entry WHERE domain = ? AND domain_sequence = ?`,
    ),
    entry: connection.prepare<[number], EntryRow>(
      `SELECT ${ENTRY_COLUMNS} FROM journal_entry WHERE sequence = ?`,
    ),
    readAfter: connection.prepare<[number, number], EntryRow>(
      `SELECT ${ENTRY_COLUMNS} FROM journal_entry WHERE sequence > ? ORDER BY sequence LIMIT ?`,
    ),
    readDomainAfter: connection.prepare<[string, number, number], EntryRow>(
      `SELECT ${ENTRY_COLUMNS} FROM journal_entry INDEXED BY journal_entry_domain_order
       WHERE domain = ? AND sequence > ? ORDER BY sequence LIMIT ?`,
    ),
    readDomain: connection.prepare<[string, number, number], EntryRow>(
      `SELECT ${ENTRY_COLUMNS} FROM journal_entry WHERE domain = ? AND domain_sequence > ? ORDER BY domain_sequence LIMIT ?`,
    ),
    eventsAfter: connection
      .prepare<[{ name: string; domain: string | null; after: number; limit: number }], number>(
        `SELECT sequence FROM journal_event
         WHERE name = @name AND sequence > @after AND (@domain IS NULL OR domain = @domain) ORDER BY sequence LIMIT @limit`,
      )
      .pluck(),
    removePayload: connection.prepare<[number]>(
      'UPDATE journal_entry SET payload = NULL WHERE sequence = ? AND payload IS NOT NULL',
    ),
    lastCheckpoint: connection
      .prepare<[], number | null>('SELECT max(sequence) FROM journal_checkpoint')
      .pluck(),
    insertCheckpoint: connection.prepare<[number, Buffer, string, string, string, string]>(
      `INSERT INTO journal_checkpoint (sequence, hash, public_key, key_fingerprint, signature, signed_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
    ),
    checkpoints: connection.prepare<[number], CheckpointRow>(
      `SELECT sequence, hash, public_key AS publicKey, key_fingerprint AS keyFingerprint, signature, signed_at AS signedAt
       FROM journal_checkpoint ORDER BY sequence DESC LIMIT ?`,
    ),
    lastEpochNumber: connection.prepare<[], number | null>('SELECT max(number) FROM journal_epoch').pluck(),
    putEpoch: connection.prepare<[number, number, string, string, string]>(
      'INSERT OR REPLACE INTO journal_epoch (number, started_at_sequence, started_at, reason, gaps) VALUES (?, ?, ?, ?, ?)',
    ),
    updateEpochGaps: connection.prepare<[string, number]>(
      'UPDATE journal_epoch SET gaps = ? WHERE number = ?',
    ),
    allEpochs: connection.prepare<[], EpochRow>(
      `SELECT number, started_at_sequence AS startedAtSequence, started_at AS startedAt, reason, gaps
       FROM journal_epoch ORDER BY number`,
    ),
    getMeta: connection.prepare<[string], string>('SELECT value FROM journal_meta WHERE key = ?').pluck(),
    putMeta: connection.prepare<[string, string]>(
      'INSERT INTO journal_meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
    ),
    deleteMeta: connection.prepare<[string]>('DELETE FROM journal_meta WHERE key = ?'),
  }
}

function parseGap(entry: NewJournalEntry): { readonly lostFrom: number; readonly lostTo: number } {
  const parsed = GapBody.safeParse(JSON.parse(entry.payload))
  if (!parsed.success)
    throw new JournalError('INVALID_ENTRY', `Gap entry refused: ${describeIssue(parsed.error)}`)
  const { lostFrom, lostTo } = parsed.data.body
  if (lostTo < lostFrom || lostTo !== entry.domainSequence)
    throw new JournalError(
      'INVALID_ENTRY',
      'Gap entry refused: lostTo must be the domain sequence and not below lostFrom',
    )
  return { lostFrom, lostTo }
}

function outOfTurn(entry: NewJournalEntry, expected: number, why: string): JournalError {
  return new JournalError(
    'DOMAIN_SEQUENCE_GAP',
    `Entry ${entry.domainSequence} of ${entry.domain} cannot be appended: ${why}.`,
    { domain: entry.domain, expected, given: entry.domainSequence },
  )
}
