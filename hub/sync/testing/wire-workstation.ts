import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { join, resolve } from 'node:path'
import { askToEnrol, HubConnection, HubRefused } from '../../../main/sync/hub-connection.ts'
import { readMigrations } from '../../../platform/database/migrate.ts'
import { composePayload, hashEntry, hashPayload, type JournalEntry } from '../../../platform/journal/entry.ts'
import { workstationKeyFrom, type WorkstationKey } from '../../../platform/journal/workstation-key.ts'
import { parseEnrolmentCode } from '../../../platform/sync/enrolment-code.ts'
import { emptyLog } from '../../../platform/sync/log.ts'
import { composeRun, type JournalPlace, type PushRun } from '../../../platform/sync/push-run.ts'
import type { Migrations } from '../../../platform/sync/versions.ts'
import { ChallengeAnswer, challengeBytes, PushAnswer, TokenAnswer } from '../../../platform/sync/wire.ts'
import { services } from '../../../services/registry.ts'

const drizzle = resolve(import.meta.dirname, '../../../drizzle')

/** What a change set of a {@link WireWorkstation} says; the rest is made up. */
export interface MadeSet {
  readonly id?: string
  readonly domain: string
  readonly procedure: string
  readonly actorId: string
  readonly laboratoryId: string
  readonly workstationId?: string
  readonly causedBy?: string | null
  readonly clock?: number
  readonly changes: readonly object[]
}

/** A workstation as far as the wire shows it: a key, a journal of its own, and nothing behind it. */
export interface WireWorkstation {
  readonly id: string
  readonly key: WorkstationKey
  /** The Hub's, by which it proves itself. */
  readonly hubKey: string
  readonly connection: HubConnection
  /** The end of its journal that the Hub has. */
  place: JournalPlace
  /** A run that follows from what the Hub has. */
  runOf(sets: readonly MadeSet[]): PushRun
  /** A token of its own, for requests that are made by hand. */
  token(): Promise<string>
  /** Pushes a run and notes where it led. */
  push(run: PushRun): Promise<ReturnType<typeof PushAnswer.parse>>
}

/** The schemas of this version, as a workstation would tell them. */
export function migrationsHere(): Migrations {
  const platform = readMigrations(join(drizzle, 'platform')).map(({ name }) => `platform/${name}`)
  return Object.fromEntries(
    services.map(({ name }) => [
      name,
      [...platform, ...readMigrations(join(drizzle, name)).map((migration) => migration.name)],
    ]),
  )
}

/** Something that anybody at a workstation may add to: an attempt to sign in. */
export function attemptToSignIn(
  of: { readonly laboratoryId: string; readonly actorId: string },
  change: Partial<MadeSet> & { readonly rowId?: string; readonly email?: string } = {},
): MadeSet {
  const { rowId = randomUUID(), email = 'somebody@example.org', ...rest } = change
  const key = { laboratory_id: of.laboratoryId, id: rowId }
  return {
    ...{ domain: 'auth', procedure: 'auth.login', ...of },
    changes: [
      {
        table: 'sign_in',
        operation: 'insert',
        key,
        replaces: null,
        values: {
          ...{ ...key, email, user_id: null, outcome: 'unknown_user' },
          ...{ at: '2026-11-21T10:00:00.000+00:00', workstation: 'Wire' },
        },
        before: {},
      },
    ],
    ...rest,
  }
}

/** Enrols a workstation with a code: an empty one, or the founder of a laboratory of its own. */
export async function enrolOnWire(
  url: string,
  code: string,
  {
    migrations = migrationsHere(),
    laboratory = null,
  }: {
    readonly migrations?: Migrations
    readonly laboratory?: { readonly id: string; readonly name: string } | null
  } = {},
): Promise<WireWorkstation> {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const key = workstationKeyFrom(pem)
  const id = randomUUID()
  const parsed = parseEnrolmentCode(code)
  if (parsed === null) throw new Error(`${code} is no enrolment code`)
  const { hubKey } = await askToEnrol(url, parsed, key, {
    workstation: { id, name: 'Wire' },
    laboratory,
  })
  const connection = new HubConnection({ url, hubKey }, key, migrations)
  const workstation: WireWorkstation = {
    id,
    key,
    hubKey,
    connection,
    place: { sequence: 0, hash: emptyLog.hash },
    runOf: (sets) => {
      const entries = journalOf(workstation.place, id, sets)
      return composeRun(workstation.place, entries, () => true, key).run
    },
    token: () => tokenFor(url, key),
    async push(run) {
      const answer = await connection.ask('/push', PushAnswer, { method: 'POST', json: run })
      workstation.place = answer.pushed
      return answer
    },
  }
  return workstation
}

/** How the Hub refuses what a workstation asks, as it stands on the wire. */
export async function refusalOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof HubRefused) return `${error.status} ${error.code}`
    throw error
  }
  throw new Error('It was not refused')
}

async function tokenFor(url: string, key: WorkstationKey): Promise<string> {
  const post = async (path: string, body: object): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${url}/v1/sync/${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    return answer.json()
  }
  const { challenge, hubKey } = ChallengeAnswer.parse(await post('challenge', { nonce: 'AAAA' }))
  const { token } = TokenAnswer.parse(
    await post('token', {
      fingerprint: key.fingerprint,
      challenge,
      signature: key.sign('hub-challenge', challengeBytes(challenge, hubKey)),
      migrations: migrationsHere(),
      clock: new Date().toISOString(),
    }),
  )
  return token
}

function journalOf(
  after: JournalPlace,
  workstationId: string,
  sets: readonly MadeSet[],
): readonly JournalEntry[] {
  let previous: Uint8Array = Buffer.from(after.hash, 'hex')
  return sets.map((set, index) => {
    const sequence = after.sequence + 1 + index
    const metadata = {
      kind: 'change',
      domain: set.domain,
      domainSequence: sequence,
      changeSetId: set.id ?? randomUUID(),
      origin: 'local',
      actorId: set.actorId,
      workstationId: set.workstationId ?? workstationId,
      hybridLogicalTime: `${String(set.clock ?? Date.now()).padStart(13, '0')}-0000-${workstationId}`,
      reason: null,
      correlationId: randomUUID(),
      recordedAt: new Date().toISOString(),
      eventNames: [],
    } as const
    const payload = composePayload(metadata, {
      laboratoryId: set.laboratoryId,
      command: { procedure: set.procedure },
      causedBy: set.causedBy ?? null,
      changes: set.changes,
      events: [],
      sync: null,
    })
    const payloadHash = hashPayload(payload)
    previous = hashEntry(previous, sequence, payloadHash)
    return {
      ...metadata,
      payload,
      sequence,
      payloadHash: payloadHash.toString('hex'),
      hash: Buffer.from(previous).toString('hex'),
    }
  })
}
