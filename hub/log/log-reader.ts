import type { Pool } from 'pg'
import { z } from 'zod'
import {
  type AuditItem,
  type AuditWindow,
  type AuditWindowRequest,
  findProcedure,
} from '../../platform/journal/audit-search.ts'
import { GENESIS_HASH, hashEntry, hashPayload, type JournalEntry } from '../../platform/journal/entry.ts'
import type {
  DomainHead,
  JournalCheckpoint,
  JournalEpoch,
  JournalHead,
  ReadDomainRequest,
  ReadRequest,
} from '../../platform/journal/journal-store.ts'
import type { KnownHead, VerifyRequest, VerifyResult } from '../../platform/journal/verify-journal.ts'
import { verifySignature } from '../../platform/journal/workstation-key.ts'
import { checkpointBytes } from '../../platform/journal/entry.ts'
import type { LogPlace } from '../../platform/sync/domain-contract.ts'
import { emptyLog } from '../../platform/sync/log.ts'
import { LOG_COLUMNS, LogRow, toEntry } from './log-rows.ts'

const rowsAtOnce = 500
/** More would only repeat what the first ones say. */
const reportedProblems = 50

/** Reads the Hub's log. Readers go by positions alone: an entry is visible only when everything before it is. */
export class LogReader {
  readonly #pool: Pool

  constructor(pool: Pool) {
    this.#pool = pool
  }

  async head(): Promise<JournalHead | null> {
    const [row] = await this.#rows('order by sequence desc limit 1', [])
    return row === undefined ? null : { sequence: row.sequence, hash: row.hash.toString('hex') }
  }

  /** With a laboratory, its own last entry of the domain. */
  async domainHead(domain: string, laboratoryId: string | null = null): Promise<DomainHead | null> {
    const [row] =
      laboratoryId === null
        ? await this.#rows('where domain = $1 order by domain_sequence desc limit 1', [domain])
        : await this.#rows('where laboratory_id = $2 and domain = $1 order by position desc limit 1', [
            domain,
            laboratoryId,
          ])
    if (row === undefined) return null
    return {
      domainSequence: row.domain_sequence,
      sequence: row.sequence,
      hash: row.hash.toString('hex'),
      payloadHash: row.payload_hash.toString('hex'),
    }
  }

  async domains(laboratoryId: string | null = null): Promise<readonly string[]> {
    const { rows } = await this.#pool.query<{ domain: string }>(
      'select distinct domain from entry where $1::uuid is null or laboratory_id = $1 order by domain',
      [laboratoryId],
    )
    return rows.map(({ domain }) => domain)
  }

  /** With a laboratory, only when the entry is its own. */
  async entry(sequence: number, laboratoryId: string | null = null): Promise<JournalEntry | null> {
    return first(
      await this.#rows('where sequence = $1 and ($2::uuid is null or laboratory_id = $2)', [
        sequence,
        laboratoryId,
      ]),
    )
  }

  async entryAt(domain: string, domainSequence: number): Promise<JournalEntry | null> {
    return first(await this.#rows('where domain = $1 and domain_sequence = $2', [domain, domainSequence]))
  }

  async read(request: ReadRequest): Promise<readonly JournalEntry[]> {
    const { afterSequence, domain = null, eventNames = null } = request
    const rows = await this.#rows(
      `where sequence > $1 and ($2::text is null or domain = $2)
       ${eventNames === null ? 'and $3::text[] is null' : `and event_names <> '{}' and event_names && $3::text[]`}
       order by sequence limit $4`,
      [afterSequence, domain, eventNames, Math.min(request.limit, rowsAtOnce)],
    )
    return rows.map(toEntry)
  }

  async readDomain({
    domain,
    afterDomainSequence,
    limit,
  }: ReadDomainRequest): Promise<readonly JournalEntry[]> {
    const rows = await this.#rows(
      'where domain = $1 and domain_sequence > $2 order by domain_sequence limit $3',
      [domain, afterDomainSequence, Math.min(limit, rowsAtOnce)],
    )
    return rows.map(toEntry)
  }

  /** The end of a laboratory's own chain. */
  async laboratoryHead(laboratoryId: string): Promise<LogPlace> {
    return placeOf(
      await this.#rows('where laboratory_id = $1 order by position desc limit 1', [laboratoryId]),
    )
  }

  /**
   * How far a laboratory's log can be said to be followed by whoever has a domain up to a number of its own: to right before
   * the domain's next entry. What lies behind may belong to others, and may be served no longer.
   */
  async placeOfDomain(laboratoryId: string, domain: string, upTo: number): Promise<LogPlace> {
    return placeOf(
      await this.#rows(
        `where laboratory_id = $1 and position < coalesce(
           (select min(position) from entry where laboratory_id = $1 and domain = $2 and domain_sequence > $3),
           9223372036854775807)
         order by position desc limit 1`,
        [laboratoryId, domain, upTo],
      ),
    )
  }

  /** The hash of a laboratory's chain at a position; null when it does not reach so far. */
  async hashAt(laboratoryId: string, position: number): Promise<string | null> {
    if (position === 0) return emptyLog.hash
    const [row] = await this.#rows('where laboratory_id = $1 and position = $2', [laboratoryId, position])
    return row?.hash.toString('hex') ?? null
  }

  /** What follows a position of a laboratory's chain: at least one entry where there is one, then as many as fit. */
  async laboratoryEntries(
    laboratoryId: string,
    after: number,
    most: { readonly entries: number; readonly bytes: number },
  ): Promise<readonly (LogPlace & { readonly domain: string; readonly payload: string | null })[]> {
    const { rows } = await this.#pool.query<{
      position: string
      hash: Buffer
      domain: string
      payload: string | null
    }>(
      `select position, hash, domain, payload from (
         select *, sum(octet_length(payload)) over (order by position) - octet_length(payload) as before from entry
         where laboratory_id = $1 and position > $2 order by position limit $3
       ) as next where coalesce(before, 0) < $4 order by position`,
      [laboratoryId, after, most.entries, most.bytes],
    )
    return rows.map(({ position, hash, domain, payload }) => ({
      position: Number(position),
      hash: hash.toString('hex'),
      domain,
      payload,
    }))
  }

  /** The audit trail, newest first; with a laboratory, its own. */
  async search(request: AuditWindowRequest, laboratoryId: string | null = null): Promise<AuditWindow> {
    const { before, limit } = request
    const reason = request.reasonContains?.replace(/[\\%_]/g, '\\$&')
    const rows = await this.#rows(
      `where ($1::bigint is null or sequence < $1) and ($2::text is null or domain = $2)
       and ($3::text is null or actor_id = $3) and ($4::text is null or change_set_id = $4)
       and ($5::text is null or correlation_id = $5) and ($6::text is null or $6 = any (event_names))
       and ($7::text is null or recorded_at >= $7) and ($8::text is null or recorded_at < $8)
       and ($9::text is null or reason ilike $9) and ($11::uuid is null or laboratory_id = $11)
       order by sequence desc limit $10`,
      [
        before,
        request.domain ?? null,
        request.actorId ?? null,
        request.changeSetId ?? null,
        request.correlationId ?? null,
        request.eventName ?? null,
        instantOf(request.from),
        instantOf(request.to),
        reason === undefined ? null : `%${reason}%`,
        limit,
        laboratoryId,
      ],
    )
    const last = rows.at(-1)
    return {
      items: rows.map(toItem),
      nextBefore: rows.length < limit || last === undefined || last.sequence === 1 ? null : last.sequence,
    }
  }

  async epochs(): Promise<readonly JournalEpoch[]> {
    const { rows } = await this.#pool.query(
      `select number, started_at_sequence::text, started_at, reason,
        (select coalesce(json_agg(json_build_object('domain', g.domain, 'lostFrom', g.lost_from, 'lostTo', g.lost_to,
          'sequence', g.sequence) order by g.sequence), '[]') from gap g where g.epoch = e.number) as gaps
       from epoch e order by number`,
    )
    return rows.map((row) => {
      const { started_at_sequence: at, started_at: startedAt, ...rest } = EpochRow.parse(row)
      return { ...rest, startedAt, startedAtSequence: at }
    })
  }

  async checkpoints(
    limit: number,
    laboratoryId: string | null = null,
  ): Promise<readonly JournalCheckpoint[]> {
    const { rows } = await this.#pool.query(
      `select position::text, hash, public_key, key_fingerprint, signature, signed_at from checkpoint
       where $2::uuid is null or laboratory_id = $2 order by signed_at desc, laboratory_id limit $1`,
      [limit, laboratoryId],
    )
    return rows.map((row) => {
      const checked = CheckpointRow.parse(row)
      return {
        sequence: checked.position,
        hash: checked.hash.toString('hex'),
        publicKey: checked.public_key,
        keyFingerprint: checked.key_fingerprint,
        signature: checked.signature,
        signedAt: checked.signed_at,
      }
    })
  }

  /** Takes a payload away and leaves its hash. False when it was gone already. */
  async removePayload(sequence: number): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      'update entry set payload = null where sequence = $1 and payload is not null',
      [sequence],
    )
    return rowCount === 1
  }

  /**
   * Proves every laboratory's chain: dense, hashed, in its domains' order, its checkpoints signed. With a laboratory, its own
   * chain, which other laboratories' entries may stand between.
   */
  async verify(request: VerifyRequest, laboratoryId: string | null = null): Promise<VerifyResult> {
    const problems: string[] = []
    const bad: number[] = []
    const note = (sequence: number, words: string) => {
      bad.push(sequence)
      if (problems.length < reportedProblems) problems.push(words)
    }
    let expected = 1
    let entries = 0
    let headHash: string | null = null
    const chains = new Map<string, { position: number; hash: Uint8Array }>()
    const domains = new Map<string, number>()
    for (;;) {
      const rows = await this.#rows(
        'where sequence >= $1 and ($3::uuid is null or laboratory_id = $3) order by sequence limit $2',
        [expected, rowsAtOnce, laboratoryId],
      )
      if (rows.length === 0) break
      for (const row of rows) {
        if (laboratoryId === null && row.sequence !== expected)
          note(expected, `Entry ${expected} is missing.`)
        checkLogRow(row, { chains, domains, isWhole: laboratoryId === null }, note)
        expected = row.sequence + 1
        entries += 1
        headHash = row.hash.toString('hex')
      }
    }
    await this.#verifyCheckpoints(note, laboratoryId)
    const short = shortOf(request.heads ?? [], domains)
    return {
      status: bad.length > 0 ? 'broken' : short.length > 0 ? 'tail-short' : 'whole',
      firstBadSequence: bad.toSorted((a, b) => a - b)[0] ?? (short.length > 0 ? expected : null),
      entries,
      headHash,
      // It is the Hub that countersigns.
      countersigned: null,
      problems: [...problems, ...short],
    }
  }

  async #verifyCheckpoints(
    note: (sequence: number, words: string) => void,
    laboratoryId: string | null,
  ): Promise<void> {
    const { rows } = await this.#pool.query(
      `select c.position::text, c.hash, c.public_key, c.key_fingerprint, c.signature, c.signed_at, e.hash as entry_hash,
         coalesce(e.sequence, 1)::text as sequence
       from checkpoint c left join entry e on e.laboratory_id = c.laboratory_id and e.position = c.position
       where $1::uuid is null or c.laboratory_id = $1`,
      [laboratoryId],
    )
    for (const row of rows) {
      const checked = CheckpointRow.extend({
        entry_hash: z.instanceof(Buffer).nullable(),
        sequence: z.string().transform(Number),
      }).parse(row)
      const signed = verifySignature({
        publicKey: checked.public_key,
        purpose: 'journal-checkpoint',
        data: checkpointBytes(checked.position, checked.hash),
        signature: checked.signature,
      })
      if (!signed)
        note(checked.sequence, `The checkpoint at position ${checked.position} is not signed by its key.`)
      else if (checked.entry_hash === null || !checked.entry_hash.equals(checked.hash))
        note(
          checked.sequence,
          `The checkpoint at position ${checked.position} was signed over another history.`,
        )
    }
  }

  async #rows(rest: string, values: readonly unknown[]): Promise<readonly LogRow[]> {
    const { rows } = await this.#pool.query<Record<string, unknown>>(
      `select ${LOG_COLUMNS} from entry ${rest}`,
      [...values],
    )
    return rows.map((row) => LogRow.parse(row))
  }
}

const EpochRow = z.object({
  number: z.int(),
  started_at_sequence: z.string().transform(Number),
  started_at: z.string(),
  reason: z.string(),
  gaps: z.array(z.object({ domain: z.string(), lostFrom: z.int(), lostTo: z.int(), sequence: z.int() })),
})
const CheckpointRow = z.object({
  position: z.string().transform(Number),
  hash: z.instanceof(Buffer),
  public_key: z.string(),
  key_fingerprint: z.string(),
  signature: z.string(),
  signed_at: z.string(),
})

function checkLogRow(
  row: LogRow,
  {
    chains,
    domains,
    isWhole,
  }: {
    readonly chains: Map<string, { position: number; hash: Uint8Array }>
    readonly domains: Map<string, number>
    /** No entry of another laboratory is left out. */
    readonly isWhole: boolean
  },
  note: (sequence: number, words: string) => void,
): void {
  const end = chains.get(row.laboratory_id) ?? { position: 0, hash: GENESIS_HASH }
  if (row.position !== end.position + 1)
    note(
      row.sequence,
      `Entry ${row.sequence} is at position ${row.position} of its laboratory, not ${end.position + 1}.`,
    )
  if (row.payload !== null && !hashPayload(row.payload).equals(row.payload_hash))
    note(row.sequence, `The payload of entry ${row.sequence} is not the one that was hashed.`)
  if (!hashEntry(end.hash, row.position, row.payload_hash).equals(row.hash))
    note(row.sequence, `The hash of entry ${row.sequence} does not follow from the entry before it.`)
  const before = domains.get(row.domain) ?? 0
  const follows = isWhole ? row.domain_sequence === before + 1 : row.domain_sequence > before
  if (row.kind !== 'gap' && !follows)
    note(
      row.sequence,
      `Entry ${row.sequence} is number ${row.domain_sequence} of ${row.domain}, not ${before + 1}.`,
    )
  chains.set(row.laboratory_id, { position: row.position, hash: row.hash })
  domains.set(row.domain, row.domain_sequence)
}

function shortOf(heads: readonly KnownHead[], domains: ReadonlyMap<string, number>): readonly string[] {
  return heads
    .filter(({ domain, domainSequence }) => domainSequence > (domains.get(domain) ?? 0))
    .map(
      ({ domain, domainSequence }) =>
        `The database of ${domain} knows entry ${domainSequence}, the log ends at ${domains.get(domain) ?? 0}.`,
    )
}

function placeOf([row]: readonly LogRow[]): LogPlace {
  return row === undefined ? emptyLog : { position: row.position, hash: row.hash.toString('hex') }
}

function first(rows: readonly LogRow[]): JournalEntry | null {
  const [row] = rows
  return row === undefined ? null : toEntry(row)
}

function toItem(row: LogRow): AuditItem {
  const { payload, ...item } = toEntry(row)
  return {
    ...item,
    payloadRemoved: payload === null,
    procedure: payload === null ? null : findProcedure(payload),
  }
}

function instantOf(text: string | undefined): string | null {
  return text === undefined ? null : new Date(text).toISOString()
}
