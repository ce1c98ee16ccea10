import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { isCountersigned, readCountersignature } from './countersignature.ts'
import { checkpointBytes, GENESIS_HASH, JOURNAL_DOMAIN } from './entry.ts'
import type { JournalEntry } from './entry.ts'
import { checkRow, ENTRY_COLUMNS } from './entry-row.ts'
import { openForReading } from './journal-connection.ts'
import type { Connection } from './journal-connection.ts'
import { describeError } from './journal-error.ts'
import { fingerprintOf, verifySignature } from './workstation-key.ts'

/** What a domain's database knows about the journal: the last entry it was told is on disk. */
export interface KnownHead {
  readonly domain: string
  readonly domainSequence: number
  /** The entry's chain hash, hex, when known. */
  readonly hash?: string
}

export interface VerifyRequest {
  readonly heads?: readonly KnownHead[]
  /** Fingerprints whose checkpoints are believed. Without them each signature is checked against the key it names itself. */
  readonly trustedKeys?: readonly string[]
}

export interface VerifyResult {
  /** `tail-short`: sound as far as it goes, but the databases know entries that are not there. */
  readonly status: 'whole' | 'broken' | 'tail-short'
  readonly firstBadSequence: number | null
  readonly entries: number
  readonly headHash: string | null
  /** Up to which entry the Hub with this fingerprint has countersigned it; null where no Hub has, or nothing of it is left. */
  readonly countersigned: { readonly upTo: number; readonly by: string } | null
  readonly problems: readonly string[]
}

/** The exit status of `tracseq verify` for each result. */
export const VERIFY_EXIT_STATUS = { whole: 0, broken: 1, 'tail-short': 2 } as const

/** More would only repeat what the first ones say. */
const REPORTED_PROBLEMS = 50

interface Finding {
  readonly sequence: number
  readonly problem: string
}

/**
 * Reads a journal file and proves it: chain, columns against payloads, dense domain sequences, epochs and gaps announced,
 * checkpoints signed, and that it is the one which the Hub countersigned, as the file beside it says. Writes nothing into it, and reports a malformed or missing file instead of throwing.
 */
export function verifyJournal(path: string, request: VerifyRequest = {}): VerifyResult {
  if (!existsSync(path)) {
    const short = (request.heads ?? []).some((head) => head.domainSequence > 0)
    return {
      status: short ? 'tail-short' : 'broken',
      firstBadSequence: 1,
      entries: 0,
      headHash: null,
      countersigned: null,
      problems: [`There is no journal at ${path}.`],
    }
  }
  const findings = new Findings()
  let entries = 0
  let headHash: string | null = null
  let countersigned: VerifyResult['countersigned'] = null
  const short: string[] = []
  try {
    readSnapshot(path, (connection) => {
      const chain = verifyChain(connection, findings)
      entries = chain.entries
      headHash = chain.headHash
      verifyEpochs(connection, chain, findings)
      verifyCheckpoints(connection, chain, request.trustedKeys, findings)
      short.push(...compareHeads(connection, request.heads ?? [], findings))
      const hub = compareCountersignature(connection, chain, dirname(path), findings)
      countersigned = hub.countersigned
      short.push(...hub.short)
    })
  } catch (error) {
    findings.add(entries + 1, `The file cannot be read: ${describeError(error)}.`)
  }
  return {
    status: findings.first !== null ? 'broken' : short.length > 0 ? 'tail-short' : 'whole',
    firstBadSequence: findings.first ?? (short.length > 0 ? entries + 1 : null),
    entries,
    headHash,
    countersigned,
    problems: [...findings.inWords(), ...short],
  }
}

class Findings {
  readonly #list: Finding[] = []
  #more = 0
  #first: number | null = null

  get first(): number | null {
    return this.#first
  }

  add(sequence: number, problem: string): void {
    this.#first = Math.min(this.#first ?? sequence, sequence)
    if (this.#list.length < REPORTED_PROBLEMS) this.#list.push({ sequence, problem })
    else this.#more += 1
  }

  inWords(): readonly string[] {
    const words = this.#list.map(({ problem }) => problem)
    return this.#more === 0 ? words : [...words, `and ${this.#more} more problems.`]
  }
}

/** One read transaction, so that appending may go on meanwhile. */
function readSnapshot(path: string, read: (connection: Connection) => void): void {
  let copy: string | null = null
  let connection: Connection
  try {
    connection = openForReading(path)
  } catch (error) {
    copy = copyAside(path, error)
    connection = openForReading(join(copy, 'journal.sqlite'))
  }
  try {
    connection.exec('BEGIN')
    read(connection)
  } finally {
    connection.close()
    if (copy !== null) rmSync(copy, { recursive: true, force: true })
  }
}

/** SQLite cannot read a WAL database in a folder it may not write (a backup on a read-only disk): a copy can be read. */
function copyAside(path: string, error: unknown): string {
  if (!describeError(error).includes('SQLITE_READONLY') && !describeError(error).includes('SQLITE_CANTOPEN'))
    throw error
  const folder = mkdtempSync(join(tmpdir(), 'tracseq-verify-'))
  copyFileSync(path, join(folder, 'journal.sqlite'))
  if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, join(folder, 'journal.sqlite-wal'))
  return folder
}

interface Chain {
  readonly entries: number
  readonly headHash: string | null
  readonly lastSequence: number
  readonly epochEntries: readonly JournalEntry[]
  readonly gapEntries: readonly (JournalEntry & { readonly lostFrom: number; readonly lostTo: number })[]
}

const EpochBody = z.object({ body: z.object({ number: z.int(), reason: z.string() }) })

function verifyChain(connection: Connection, findings: Findings): Chain {
  const domainHeads = new Map<string, number>()
  const epochEntries: JournalEntry[] = []
  const gapEntries: (JournalEntry & { lostFrom: number; lostTo: number })[] = []
  let previous: Uint8Array = GENESIS_HASH
  let expected = 1
  let entries = 0
  const rows = connection
    .prepare<[], { readonly sequence: number; readonly hash: unknown }>(
      `SELECT ${ENTRY_COLUMNS} FROM journal_entry ORDER BY sequence`,
    )
    .iterate()
  try {
    for (const raw of rows) {
      if (raw.sequence !== expected)
        findings.add(
          expected,
          `Entry ${expected} is missing${raw.sequence > expected + 1 ? `, up to ${raw.sequence - 1}` : ''}.`,
        )
      const checked = checkRow(raw, previous)
      if (checked.sound) {
        const problem = followDomain(checked.entry, domainHeads, gapEntries)
        if (problem !== null) findings.add(raw.sequence, problem)
        if (checked.entry.kind === 'epoch') epochEntries.push(checked.entry)
        previous = checked.row.hash
      } else {
        findings.add(raw.sequence, `Entry ${raw.sequence} is wrong: ${checked.problem}.`)
        noteUnsound(raw, domainHeads)
        if (checked.hash !== null) previous = checked.hash
      }
      entries += 1
      expected = raw.sequence + 1
    }
  } catch (error) {
    findings.add(expected, `Entry ${expected} and what follows cannot be read: ${describeError(error)}.`)
  }
  return {
    entries,
    headHash: entries === 0 ? null : Buffer.from(previous).toString('hex'),
    lastSequence: expected - 1,
    epochEntries,
    gapEntries,
  }
}

const GapBody = z.object({ body: z.object({ lostFrom: z.int(), lostTo: z.int() }) })

/** Says when the domain's numbering breaks; a gap entry may jump over exactly what it names. */
function followDomain(
  entry: JournalEntry,
  domainHeads: Map<string, number>,
  gapEntries: (JournalEntry & { lostFrom: number; lostTo: number })[],
): string | null {
  const expected = (domainHeads.get(entry.domain) ?? 0) + 1
  domainHeads.set(entry.domain, entry.domainSequence)
  const where = `Entry ${entry.sequence} (${entry.domain} ${entry.domainSequence})`
  if (entry.kind !== 'gap' || entry.payload === null)
    return entry.domainSequence === expected || (entry.kind === 'gap' && entry.domainSequence > expected)
      ? null
      : `${where} is out of turn: ${entry.domain} ${expected} was expected and no gap is announced.`
  const gap = GapBody.safeParse(JSON.parse(entry.payload))
  if (!gap.success) return `${where} announces a gap without saying which.`
  const { lostFrom, lostTo } = gap.data.body
  gapEntries.push({ ...entry, lostFrom, lostTo })
  return lostFrom === expected && lostTo === entry.domainSequence
    ? null
    : `${where} announces the gap ${lostFrom} to ${lostTo}, but ${expected} to ${entry.domainSequence} is missing.`
}

/** A wrong entry still occupies its number, so that one flaw is not reported as a flaw of everything after it. */
function noteUnsound(raw: object, domainHeads: Map<string, number>): void {
  if (!('domain' in raw) || !('domain_sequence' in raw)) return
  if (typeof raw.domain === 'string' && typeof raw.domain_sequence === 'number')
    domainHeads.set(raw.domain, raw.domain_sequence)
}

const EpochRows = z.array(
  z.object({
    number: z.int(),
    started_at_sequence: z.int(),
    started_at: z.string(),
    reason: z.string(),
    gaps: z.string(),
  }),
)
const EpochGaps = z.array(
  z.object({ domain: z.string(), lostFrom: z.int(), lostTo: z.int(), sequence: z.int() }),
)

/** Every epoch after the first stands in the chain and in the table alike, and so does every gap. */
function verifyEpochs(connection: Connection, chain: Chain, findings: Findings): void {
  const due = connection
    .prepare<[], string>("SELECT value FROM journal_meta WHERE key = 'epoch_due'")
    .pluck()
    .get()
  if (due !== undefined)
    findings.add(chain.lastSequence + 1, `A new epoch was not announced although it is due: ${due}`)

  const rows = EpochRows.parse(connection.prepare('SELECT * FROM journal_epoch ORDER BY number').all())
  rows.forEach((row, index) => {
    if (row.number !== index + 1)
      findings.add(row.started_at_sequence, `Epoch ${index + 1} is missing from the epoch table.`)
  })
  if (rows.length === 0 && chain.entries > 0) findings.add(1, 'The epoch table is empty.')

  const inTable = new Map(rows.slice(1).map((row) => [row.started_at_sequence, row]))
  for (const entry of chain.epochEntries) {
    const row = inTable.get(entry.sequence)
    inTable.delete(entry.sequence)
    const body = entry.payload === null ? null : EpochBody.safeParse(JSON.parse(entry.payload)).data?.body
    if (
      row === undefined ||
      row.started_at !== entry.recordedAt ||
      row.reason !== entry.reason ||
      (body !== null && (body?.number !== row.number || body.reason !== row.reason))
    )
      findings.add(
        entry.sequence,
        `The epoch announced by entry ${entry.sequence} is not in the epoch table.`,
      )
  }
  for (const row of inTable.values())
    findings.add(
      row.started_at_sequence,
      `Epoch ${row.number} is announced by no entry of the domain ${JOURNAL_DOMAIN}.`,
    )

  const listed = new Set(
    rows.flatMap((row) => EpochGaps.parse(JSON.parse(row.gaps)).map((gap) => describeGap(gap))),
  )
  for (const gap of chain.gapEntries)
    if (!listed.delete(describeGap(gap)))
      findings.add(gap.sequence, `The gap ${describeGap(gap)} is not listed in its epoch.`)
  for (const gap of listed)
    findings.add(chain.lastSequence, `The gap ${gap} is listed but announced by no entry.`)
}

function describeGap(gap: {
  readonly domain: string
  readonly lostFrom: number
  readonly lostTo: number
  readonly sequence: number
}): string {
  return `${gap.domain} ${gap.lostFrom} to ${gap.lostTo} (entry ${gap.sequence})`
}

const CheckpointRow = z.object({
  sequence: z.int(),
  hash: z.instanceof(Buffer),
  public_key: z.string(),
  key_fingerprint: z.string(),
  signature: z.string(),
})

function verifyCheckpoints(
  connection: Connection,
  chain: Chain,
  trustedKeys: readonly string[] | undefined,
  findings: Findings,
): void {
  const hashAt = connection
    .prepare<[number], Buffer>('SELECT hash FROM journal_entry WHERE sequence = ?')
    .pluck()
  const rows = connection.prepare<[]>('SELECT * FROM journal_checkpoint ORDER BY sequence').iterate()
  for (const raw of rows) {
    const parsed = CheckpointRow.safeParse(raw)
    if (!parsed.success) {
      findings.add(1, 'A checkpoint row is malformed.')
      continue
    }
    const row = parsed.data
    const where = `The checkpoint at ${row.sequence}`
    if (row.sequence > chain.lastSequence) {
      findings.add(
        chain.lastSequence + 1,
        `${where} was signed, but the journal ends at ${chain.lastSequence}: entries were cut off.`,
      )
      continue
    }
    if (!hashAt.get(row.sequence)?.equals(row.hash))
      findings.add(row.sequence, `${where} was signed over another hash than the entry has now.`)
    const signed = verifySignature({
      publicKey: row.public_key,
      purpose: 'journal-checkpoint',
      data: row.hash.length === 32 ? checkpointBytes(row.sequence, row.hash) : row.hash,
      signature: row.signature,
    })
    if (!signed || fingerprintOf(row.public_key) !== row.key_fingerprint)
      findings.add(row.sequence, `${where} has a forged or damaged signature.`)
    else if (trustedKeys !== undefined && !trustedKeys.includes(row.key_fingerprint))
      findings.add(row.sequence, `${where} was signed by an unknown key (${row.key_fingerprint}).`)
  }
}

/** Says which databases know more than the journal has; another hash under the same number is a fork and thus broken. */
function compareHeads(
  connection: Connection,
  heads: readonly KnownHead[],
  findings: Findings,
): readonly string[] {
  const lastOf = connection
    .prepare<[string], number | null>('SELECT max(domain_sequence) FROM journal_entry WHERE domain = ?')
    .pluck()
  const at = connection.prepare<[string, number], { readonly sequence: number; readonly hash: Buffer }>(
    'SELECT sequence, hash FROM journal_entry WHERE domain = ? AND domain_sequence = ?',
  )
  return heads.flatMap((head) => {
    const last = lastOf.get(head.domain) ?? 0
    if (last < head.domainSequence)
      return [
        `The database of ${head.domain} knows entry ${head.domainSequence}; the journal ends at ${head.domain} ${last}.`,
      ]
    const entry = at.get(head.domain, head.domainSequence)
    if (entry !== undefined && head.hash !== undefined && entry.hash.toString('hex') !== head.hash)
      findings.add(
        entry.sequence,
        `The database of ${head.domain} knows another entry ${head.domainSequence} than the journal: a fork.`,
      )
    return []
  })
}

/** Says when the journal is another one than the Hub countersigned. A journal that was lost and begun anew has said so. */
function compareCountersignature(
  connection: Connection,
  chain: Chain,
  home: string,
  findings: Findings,
): { readonly countersigned: VerifyResult['countersigned']; readonly short: readonly string[] } {
  const none = { countersigned: null, short: [] }
  let kept: ReturnType<typeof readCountersignature>
  try {
    kept = readCountersignature(home)
  } catch (error) {
    findings.add(
      chain.lastSequence + 1,
      `The Hub's countersignature cannot be read: ${describeError(error)}.`,
    )
    return none
  }
  if (kept === null) return none
  const { sequence, hash, epoch, hubKey } = kept
  if (!isCountersigned(kept)) {
    findings.add(sequence, `The Hub's countersignature at ${sequence} is forged or damaged.`)
    return none
  }
  const here = connection
    .prepare<[number], Buffer>('SELECT hash FROM journal_entry WHERE sequence = ?')
    .pluck()
    .get(sequence)
  if (here?.toString('hex') === hash)
    return { countersigned: { upTo: sequence, by: fingerprintOf(hubKey) }, short: [] }
  const begunAnew = connection
    .prepare<[], number | null>('SELECT max(number) FROM journal_epoch')
    .pluck()
    .get()
  if (begunAnew != null && begunAnew > epoch) return none
  if (sequence > chain.lastSequence)
    return {
      countersigned: null,
      short: [`The Hub has countersigned entry ${sequence}; the journal ends at ${chain.lastSequence}.`],
    }
  findings.add(sequence, `Entry ${sequence} is another one than the Hub countersigned.`)
  return none
}
