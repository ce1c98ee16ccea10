import { rm } from 'node:fs/promises'
import { z } from 'zod'
import { Refusal } from '../../platform/contract/refusal.ts'
import { GENESIS_HASH } from '../../platform/journal/entry.ts'
import type { JournalClient } from '../../platform/journal/journal-client.ts'
import type { WorkstationKey } from '../../platform/journal/workstation-key.ts'
import type { Gateway } from '../../platform/gateway/gateway.ts'
import { parseEnrolmentCode } from '../../platform/sync/enrolment-code.ts'
import { FoundAnswer } from '../../platform/sync/wire.ts'
import { CredentialsAnswer, LaboratoryHereAnswer } from '../../services/auth/contract.ts'
import type { Domains } from './domains.ts'
import type { DomainStep, EnrolmentFile } from './enrolment-file.ts'
import {
  askToEnrol,
  type HubConnection,
  HubRefused,
  HubUnreachable,
  isProtected,
  WrongHub,
} from './hub-connection.ts'
import { installSnapshot } from './snapshots.ts'

export interface EnrollingOptions {
  readonly home: string
  readonly workstation: { readonly id: string; readonly name: string }
  readonly gateway: Gateway
  readonly journal: JournalClient
  readonly key: WorkstationKey
  readonly file: EnrolmentFile
  readonly domains: Domains
}

const foundingMs = 10 * 60_000

/**
 * Has the Hub let this workstation in and writes down that it did. What follows may take long and be cut off at any
 * moment: {@link completeEnrolment} goes on with it.
 */
export async function beginEnrolment(
  options: EnrollingOptions,
  given: { readonly hubUrl: string; readonly code: string },
): Promise<void> {
  const { gateway, journal, key, file, workstation } = options
  if (file.current !== null) throw new Refusal('ALREADY_ENROLLED', 'This workstation is enrolled already')
  const code = parseEnrolmentCode(given.code)
  if (code === null)
    throw new Refusal(
      'CODE_REFUSED',
      'A character of the enrolment code is wrong: compare it with what the Hub shows',
    )
  const hubUrl = readUrl(given.hubUrl)
  const { laboratory } = LaboratoryHereAnswer.parse(await askAuth(gateway, 'laboratoryHere', undefined))
  const head = await journal.head()
  try {
    const answer = await askToEnrol(hubUrl, code, key, { workstation, laboratory })
    file.write({
      hubUrl,
      hubKey: answer.hubKey,
      laboratoryId: answer.laboratoryId,
      role: answer.role,
      isComplete: false,
      journal: head ?? { sequence: 0, hash: Buffer.from(GENESIS_HASH).toString('hex') },
      domains: {},
      pushed: null,
      hubSealingKey: null,
      isPaused: false,
      offlineUntil: null,
    })
  } catch (error) {
    throw explain(error)
  }
}

/** Brings the workstation and the Hub to the same rows. Each step that is done is written down and not done again. */
export async function completeEnrolment(options: EnrollingOptions, connection: HubConnection): Promise<void> {
  const { file, domains } = options
  const { laboratoryId, role } = file.require()
  for (const domain of domains.names) {
    if (file.require().domains[domain] === undefined)
      file.changeDomain(domain, await enrolDomain(domains, domain, laboratoryId))
  }
  if (role === 'founder') await found(options, connection)
  else await join(options, connection)
  file.change({ isComplete: true })
  // Nobody needs the rows in one piece any more, and they lie open there.
  for (const { path } of Object.values(file.require().domains)) await rm(path, { force: true })
}

/** From now on what the domain does waits for the Hub; what it has is in a file. */
export async function enrolDomain(
  domains: Domains,
  domain: string,
  laboratoryId: string,
): Promise<DomainStep> {
  const client = domains.client(domain)
  const { domainSequence, sha256, path } = await client.syncEnroll({ laboratoryId })
  // The answer of an earlier time may have got lost: then the file holds work as well that has begun to wait.
  const { oldestPending } = await client.syncState()
  const enrolledAt = Math.min(domainSequence, (oldestPending ?? Number.MAX_SAFE_INTEGER) - 1)
  return { enrolledAt, sha256, path, place: null }
}

/** The rows travel as files, and the Hub says where in its log they stand. */
async function found({ gateway, file, domains }: EnrollingOptions, connection: HubConnection): Promise<void> {
  const { laboratoryId } = file.require()
  for (const domain of domains.names) {
    const { sha256, path } = stepOf(file, domain)
    if (!(await isThere(connection, sha256)))
      await connection.ask(`/files/${sha256}`, z.unknown(), { method: 'PUT', file: path })
  }
  const { credentials } = CredentialsAnswer.parse(
    await askAuth(gateway, 'credentialsOf', { laboratoryId, administrators: true }),
  )
  const files = Object.fromEntries(domains.names.map((domain) => [domain, stepOf(file, domain).sha256]))
  const { places } = await connection.ask('/found', FoundAnswer, {
    method: 'POST',
    json: { files, credentials },
    withinMs: foundingMs,
  })
  for (const domain of domains.names) {
    const place = places[domain]
    if (place === undefined) throw new Error(`The Hub did not say where ${domain} stands`)
    await domains.follow(domain, [], place)
    file.changeDomain(domain, { ...stepOf(file, domain), place })
  }
}

/** The Hub's rows are taken as they are; from there on its log is followed. */
async function join(options: EnrollingOptions, connection: HubConnection): Promise<void> {
  const { file, domains, home } = options
  for (const domain of domains.names) {
    const step = stepOf(file, domain)
    if (step.place !== null) continue
    const place = await installSnapshot({ home, domains, connection }, domain)
    file.changeDomain(domain, { ...step, place })
  }
}

async function isThere(connection: HubConnection, sha256: string): Promise<boolean> {
  try {
    await connection.open(`/files/${sha256}`, { method: 'HEAD' })
    return true
  } catch (error) {
    if (error instanceof HubRefused && error.status === 404) return false
    // The answer to HEAD has no body that could say more.
    if (error instanceof HubUnreachable) return false
    throw error
  }
}

function stepOf(file: EnrolmentFile, domain: string) {
  const step = file.require().domains[domain]
  if (step === undefined) throw new Error(`${domain} has not been prepared`)
  return step
}

function askAuth(gateway: Gateway, procedure: string, input: unknown): Promise<unknown> {
  return gateway.call({ path: ['auth', procedure], input, origin: { from: 'host', actor: null } })
}

function readUrl(text: string): string {
  const parsed = z.url({ protocol: /^https?$/ }).safeParse(text.trim())
  if (!parsed.success)
    throw new Refusal('BAD_REQUEST', 'hubUrl: not an address such as https://hub.laboratory.example')
  if (!isProtected(parsed.data))
    throw new Refusal('BAD_REQUEST', 'hubUrl: a Hub on another computer is reached by https:// only')
  return parsed.data.replace(/\/+$/, '')
}

/** What went wrong, as an error of the contract. */
function explain(error: unknown): unknown {
  if (error instanceof WrongHub) return new Refusal('WRONG_HUB', error.message)
  if (error instanceof HubUnreachable) return new Refusal('OFFLINE', `${error.message}. Nothing was changed.`)
  if (!(error instanceof HubRefused)) return error
  return new Refusal(error.code === 'ALREADY_ENROLLED' ? error.code : 'CODE_REFUSED', error.message)
}
