import { Pool, type PoolClient } from 'pg'
import { z } from 'zod'
import type { LogPlace } from '../../platform/sync/domain-contract.ts'
import type { JournalPlace } from '../../platform/sync/push-run.ts'
import type { Migrations } from '../../platform/sync/versions.ts'
import { SyncProblem } from './sync-problem.ts'
import { syncSchema } from './sync-schema.ts'

const Instant = z.date().transform((date) => date.toISOString())
const Count = z.string().transform(Number)

const WorkstationRow = z
  .object({
    id: z.string(),
    laboratory_id: z.string(),
    name: z.string(),
    public_key: z.string(),
    fingerprint: z.string(),
    is_founder: z.boolean(),
    administrators_offline: z.boolean(),
    enrolled_at: Instant,
    founded_at: Instant.nullable(),
    last_seen_at: Instant.nullable(),
    acknowledged_position: Count,
    pushed_sequence: Count.nullable(),
    pushed_hash: z.string().nullable(),
    clock_skew_ms: Count.nullable(),
    migrations: z.record(z.string(), z.array(z.string())),
    revoked_at: Instant.nullable(),
    sealing_key: z.string().nullable(),
  })
  .transform(({ pushed_sequence: sequence, pushed_hash: hash, ...row }) => ({
    id: row.id,
    laboratoryId: row.laboratory_id,
    name: row.name,
    publicKey: row.public_key,
    fingerprint: row.fingerprint,
    isFounder: row.is_founder,
    administratorsOffline: row.administrators_offline,
    enrolledAt: row.enrolled_at,
    foundedAt: row.founded_at,
    lastSeenAt: row.last_seen_at,
    position: row.acknowledged_position,
    pushed: sequence === null || hash === null ? null : { sequence, hash },
    clockSkewMs: row.clock_skew_ms,
    migrations: row.migrations,
    revokedAt: row.revoked_at,
    sealingKey: row.sealing_key,
  }))
/** A workstation as the Hub knows it. */
export type Workstation = z.output<typeof WorkstationRow>

const CodeRow = z.object({
  laboratory_id: z.string().nullable(),
  administrators_offline: z.boolean(),
  is_over: z.boolean(),
  used_by: z.string().nullable(),
})
export type CodeRow = z.output<typeof CodeRow>

export interface NewWorkstation {
  readonly id: string
  readonly laboratoryId: string
  readonly name: string
  readonly publicKey: string
  readonly fingerprint: string
  readonly isFounder: boolean
  readonly administratorsOffline: boolean
}

/** Why something was not taken, for whoever looks after the Hub. */
export interface Refusal {
  readonly code: string
  readonly words: string
  readonly workstation?: Pick<Workstation, 'id' | 'laboratoryId'>
}

const refusalsKept = 10_000

/** What the Hub remembers of its workstations, in `tracseq_sync`. */
export class SyncStore {
  readonly #pool: Pool

  private constructor(pool: Pool) {
    this.#pool = pool
  }

  static async open(url: string, onLost: (error: Error) => void): Promise<SyncStore> {
    const pool = new Pool({ connectionString: url, max: 4 })
    pool.on('error', onLost)
    await pool.query(syncSchema)
    return new SyncStore(pool)
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }

  async addCode(code: {
    readonly secretHash: string
    readonly laboratoryId: string | null
    readonly administratorsOffline: boolean
    readonly createdBy: string
    readonly livesMs: number
  }): Promise<{ readonly expiresAt: string }> {
    const { rows } = await this.#pool.query<{ expires_at: Date }>(
      `insert into enrolment_code (secret_hash, laboratory_id, administrators_offline, created_by, expires_at)
       values ($1, $2, $3, $4, now() + $5 * interval '1 millisecond') returning expires_at`,
      [code.secretHash, code.laboratoryId, code.administratorsOffline, code.createdBy, code.livesMs],
    )
    return { expiresAt: rows[0]?.expires_at.toISOString() ?? '' }
  }

  async isOpenFounderCode(secretHash: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `select from enrolment_code where secret_hash = $1 and laboratory_id is null and used_at is null
        and expires_at > now()`,
      [secretHash],
    )
    return rowCount === 1
  }

  /** Ends a code that is unused. */
  async endCode(secretHash: string): Promise<void> {
    await this.#pool.query(
      'update enrolment_code set expires_at = now() where secret_hash = $1 and used_at is null',
      [secretHash],
    )
  }

  /** Ends every unused code that somebody made. */
  async endCodesOf(createdBy: string): Promise<void> {
    await this.#pool.query(
      'update enrolment_code set expires_at = now() where created_by = $1 and used_at is null and expires_at > now()',
      [createdBy],
    )
  }

  /**
   * Uses a code up for a workstation, once: `enrol` sees the code and says whom to let in, answers the workstation that
   * was let in by it before, or throws.
   */
  async useCode(
    secretHash: string,
    workstationId: string,
    enrol: (code: CodeRow | null, known: Workstation | null) => NewWorkstation | Workstation,
  ): Promise<NewWorkstation> {
    return this.#transaction(async (client) => {
      const code = await client.query(
        'select *, expires_at < now() as is_over from enrolment_code where secret_hash = $1 for update',
        [secretHash],
      )
      const known = await client.query('select * from workstation where id = $1', [workstationId])
      const before = known.rows[0] === undefined ? null : WorkstationRow.parse(known.rows[0])
      const added = enrol(code.rows[0] === undefined ? null : CodeRow.parse(code.rows[0]), before)
      if (added === before) return added
      if (added.isFounder) {
        const founder = await client.query(
          'select from workstation where laboratory_id = $1 and is_founder',
          [added.laboratoryId],
        )
        if (founder.rowCount !== 0)
          throw new SyncProblem(
            409,
            'LABORATORY_KNOWN',
            'Another workstation is bringing this laboratory to the Hub',
          )
      }
      await client.query(
        `insert into workstation (id, laboratory_id, name, public_key, fingerprint, is_founder, administrators_offline)
         values ($1, $2, $3, $4, $5, $6, $7)`,
        [
          added.id,
          added.laboratoryId,
          added.name,
          added.publicKey,
          added.fingerprint,
          added.isFounder,
          added.administratorsOffline,
        ],
      )
      await client.query('update enrolment_code set used_at = now(), used_by = $2 where secret_hash = $1', [
        secretHash,
        added.id,
      ])
      return added
    })
  }

  async addChallenge(value: string, livesMs: number): Promise<void> {
    await this.#pool.query('delete from challenge where expires_at < now()')
    await this.#pool.query(`insert into challenge values ($1, now() + $2 * interval '1 millisecond')`, [
      value,
      livesMs,
    ])
  }

  /** Takes a challenge away; false when it was never given, was answered before, or is too old. */
  async takeChallenge(value: string): Promise<boolean> {
    const { rows } = await this.#pool.query<{ in_time: boolean }>(
      'delete from challenge where value = $1 returning expires_at > now() as in_time',
      [value],
    )
    return rows[0]?.in_time === true
  }

  async addToken(tokenHash: string, workstationId: string, livesMs: number): Promise<void> {
    // What is long over is of no use to anybody; what has just ended is still told apart from what never was.
    await this.#pool.query(`delete from token where expires_at < now() - interval '1 day'`)
    await this.#pool.query(`insert into token values ($1, $2, now() + $3 * interval '1 millisecond')`, [
      tokenHash,
      workstationId,
      livesMs,
    ])
  }

  /** Who holds a token, and whether its time is over; null for one that was never given. */
  async holderOf(
    tokenHash: string,
  ): Promise<{ readonly workstation: Workstation; readonly isOver: boolean } | null> {
    const { rows } = await this.#pool.query<{ is_over: boolean }>(
      `select w.*, t.expires_at < now() as is_over from token t join workstation w on w.id = t.workstation_id
       where t.token_hash = $1`,
      [tokenHash],
    )
    const [row] = rows
    return row === undefined ? null : { workstation: WorkstationRow.parse(row), isOver: row.is_over }
  }

  async workstationBy(column: 'id' | 'fingerprint', value: string): Promise<Workstation | null> {
    const where = column === 'id' ? 'id = $1' : 'fingerprint = $1'
    const { rows } = await this.#pool.query(`select * from workstation where ${where}`, [value])
    return rows[0] === undefined ? null : WorkstationRow.parse(rows[0])
  }

  async workstationsOf(laboratoryId: string): Promise<readonly Workstation[]> {
    const { rows } = await this.#pool.query(
      'select * from workstation where laboratory_id = $1 order by enrolled_at, id',
      [laboratoryId],
    )
    return rows.map((row) => WorkstationRow.parse(row))
  }

  /** Every laboratory that has a workstation. */
  async laboratories(): Promise<readonly string[]> {
    const { rows } = await this.#pool.query<{ laboratory_id: string }>(
      'select distinct laboratory_id from workstation',
    )
    return rows.map((row) => row.laboratory_id)
  }

  async noteContact(
    id: string,
    seen: {
      readonly migrations: Migrations
      readonly clockSkewMs: number
      /** Null where the workstation did not tell it: what it told before stays. */
      readonly sealingKey: string | null
    },
  ): Promise<void> {
    await this.#pool.query(
      `update workstation set last_seen_at = now(), migrations = $2, clock_skew_ms = $3,
         sealing_key = coalesce($4, sealing_key) where id = $1`,
      [id, JSON.stringify(seen.migrations), Math.round(seen.clockSkewMs), seen.sealingKey],
    )
  }

  /**
   * The workstation has everything up to this position: it asked for what comes after it. Nobody waits until the disk has
   * this; after a power cut the workstation's next question says it again.
   */
  async notePosition(id: string, position: number): Promise<void> {
    await this.#pool.query(
      `with quick as materialized (select set_config('synchronous_commit', 'off', true))
       update workstation set last_seen_at = now(), acknowledged_position = $2 from quick where id = $1`,
      [id, position],
    )
  }

  async notePushed(id: string, pushed: JournalPlace): Promise<void> {
    await this.#pool.query(
      'update workstation set last_seen_at = now(), pushed_sequence = $2, pushed_hash = $3 where id = $1',
      [id, pushed.sequence, pushed.hash],
    )
  }

  async foundedDomains(laboratoryId: string): Promise<ReadonlyMap<string, LogPlace>> {
    const { rows } = await this.#pool.query<{ domain: string; position: string; hash: string }>(
      'select domain, position, hash from founded_domain where laboratory_id = $1',
      [laboratoryId],
    )
    return new Map(rows.map(({ domain, position, hash }) => [domain, { position: Number(position), hash }]))
  }

  async noteFoundedDomain(laboratoryId: string, domain: string, place: LogPlace): Promise<void> {
    await this.#pool.query('insert into founded_domain values ($1, $2, $3, $4) on conflict do nothing', [
      laboratoryId,
      domain,
      place.position,
      place.hash,
    ])
  }

  async noteFounded(workstationId: string): Promise<void> {
    await this.#pool.query('update workstation set founded_at = coalesce(founded_at, now()) where id = $1', [
      workstationId,
    ])
  }

  async revoke(laboratoryId: string, id: string, reason: string): Promise<boolean> {
    const { rowCount } = await this.#pool.query(
      `update workstation set revoked_at = coalesce(revoked_at, now()), revoked_because = coalesce(revoked_because, $3)
       where laboratory_id = $1 and id = $2`,
      [laboratoryId, id, reason],
    )
    return rowCount === 1
  }

  async recordRefusal({ code, words, workstation }: Refusal): Promise<void> {
    const { rows } = await this.#pool.query<{ id: string }>(
      'insert into refusal (workstation_id, laboratory_id, code, words) values ($1, $2, $3, $4) returning id',
      [workstation?.id ?? null, workstation?.laboratoryId ?? null, code, words.slice(0, 1_000)],
    )
    const newest = Number(rows[0]?.id ?? 0)
    // Whoever is refused must not be able to fill the disk.
    if (newest % 100 === 0)
      await this.#pool.query('delete from refusal where id <= $1', [newest - refusalsKept])
  }

  /** What was refused to a laboratory's workstations, newest first. */
  async refusals(laboratoryId: string, limit: number) {
    const { rows } = await this.#pool.query<{
      at: Date
      workstation_id: string
      code: string
      words: string
    }>(
      'select at, workstation_id, code, words from refusal where laboratory_id = $1 order by id desc limit $2',
      [laboratoryId, limit],
    )
    return rows.map(({ at, workstation_id: workstationId, code, words }) => ({
      at: at.toISOString(),
      workstationId,
      code,
      words,
    }))
  }

  async #transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    try {
      await client.query('begin')
      const result = await work(client)
      await client.query('commit')
      return result
    } catch (error) {
      await client.query('rollback').catch(() => undefined)
      throw error
    } finally {
      client.release()
    }
  }
}
