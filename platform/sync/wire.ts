import { hash } from 'node:crypto'
import { z } from 'zod'
import { Resolution } from './contract.ts'
import { LogPlace, WireEntry } from './domain-contract.ts'
import { CountersignedPlace } from './push-run.ts'
import { SealingStatement } from './sealing-key.ts'

/* What a workstation and its Hub say to each other over HTTP, below `/v1/sync/`. */

const name = z.string().min(1).max(200)
const base64 = z.string().regex(/^[A-Za-z0-9+/]{1,400}={0,2}$/, 'must be base64')
const Migrations = z.record(z.string(), z.array(z.string()))
const Hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 hash in hexadecimal')

/** `POST challenge`: the workstation's own challenge goes with it, and the Hub proves by it who it is. */
export const ChallengeRequest = z.strictObject({ nonce: base64 })
export const ChallengeAnswer = z.object({
  challenge: z.string(),
  /** SPKI, base64, and its signature over {@link identityBytes}. */
  hubKey: z.string(),
  signature: z.string(),
})

/** `POST enroll`. */
export const EnrolRequest = z.strictObject({
  secret: z.string().max(100),
  challenge: z.string().max(100),
  workstation: z.strictObject({ id: name, name, publicKey: base64 }),
  /** The laboratory that is in it; null while it is empty. */
  laboratory: z.strictObject({ id: z.uuid(), name }).nullable(),
  signature: base64,
})
export const EnrolAnswer = z.object({ laboratoryId: z.uuid(), role: z.enum(['founder', 'joiner']) })

/** `POST token`. */
export const TokenRequest = z.strictObject({
  fingerprint: Hash,
  challenge: z.string().max(100),
  signature: base64,
  migrations: Migrations,
  /** What its clock says. Nothing is decided by it; the difference is shown. */
  clock: z.iso.datetime(),
  /** For which key bundles to it are sealed. */
  sealing: SealingStatement.optional(),
})
export const TokenAnswer = z.object({
  token: z.string(),
  expiresInMs: z.int(),
  clock: z.iso.datetime(),
  /** The end of what the Hub has of the workstation's journal; null before the first push. */
  pushed: CountersignedPlace.nullable(),
  founded: z.boolean(),
  /** For which key bundles to the Hub are sealed. */
  sealing: SealingStatement.optional(),
})
export type TokenAnswer = z.output<typeof TokenAnswer>

/** `POST found`: the founder's rows, already sent by hash, and what its people prove by who they are. */
export const Credential = z.strictObject({ userId: z.uuid(), passwordHash: z.string().max(500) })
export const FoundRequest = z.strictObject({
  files: z.record(z.string(), Hash),
  credentials: z.array(Credential).max(10_000),
})
/** Where each domain stands in the laboratory's log. */
export const FoundAnswer = z.object({ places: z.record(z.string(), LogPlace) })

/** `POST push`: the answer to a run. */
export const PushAnswer = z.object({
  pushed: CountersignedPlace,
  decided: z.array(z.object({ changeSetId: z.string(), outcome: z.string(), status: z.string() })),
  /** How far the workstation's clock ran ahead in what it pushed. */
  clockAheadMs: z.int(),
})

/** `GET pull`. */
export const PullAnswer = z.object({ entries: z.array(WireEntry), head: LogPlace })
export type PullAnswer = z.output<typeof PullAnswer>

/**
 * A domain in which nothing happens is told of the log's end when it is so many entries behind, so that little is fetched
 * twice. A workstation that has started anew therefore asks from at most so far back.
 */
export const quietEntries = 500

/** `GET people`: who may sign in at the workstation while the Hub is out of reach, and who else takes part. */
export const PeopleAnswer = z.object({
  credentials: z.array(Credential),
  leaseMs: z.int(),
  /** Of the laboratory, so that a person reads where something was done. */
  workstations: z.array(z.object({ id: z.string(), name: z.string() })).default([]),
})

/** `POST proof`: a person at the workstation gives a password that only the Hub can judge. */
export const ProofRequest = z.strictObject({ userId: z.uuid(), password: z.string().max(200) })
export const ProofOutcome = z.object({ outcome: z.enum(['right', 'wrong', 'locked_out', 'not_active']) })

/** `POST files/lacking`: which of these files the Hub does not have. */
export const filesAtOnce = 1_000
export const LackingRequest = z.strictObject({ sha256: z.array(Hash).max(filesAtOnce) })
export const LackingAnswer = z.object({ lacking: z.array(Hash) })

/** `POST resolution`: what somebody signed in at the workstation decided. */
export const ResolutionRequest = Resolution.extend({ actorId: z.uuid() })

export const Problem = z.object({ code: z.string(), message: z.string(), data: z.unknown().optional() })

/**
 * Header with the SHA-256 (hex) of a JSON body before it is zipped: what was changed on the way is noticed even where
 * nothing else would, and asked for again.
 */
export const digestHeader = 'x-tracseq-digest'

/** Headers that come with a snapshot; its digest covers them, and they name the hash of the file. */
export const snapshotHeaders = {
  position: 'x-tracseq-position',
  hash: 'x-tracseq-hash',
  sha256: 'x-tracseq-sha256',
} as const

export function digestOf(content: Uint8Array | string): string {
  return hash('sha256', content, 'hex')
}

/** What the Hub signs to prove who it is. */
export function identityBytes(nonce: string, challenge: string): Uint8Array {
  return Buffer.from(`${nonce} ${challenge}`, 'utf8')
}

/** What the workstation signs for a token: good for this Hub and this once. */
export function challengeBytes(challenge: string, hubKey: string): Uint8Array {
  return Buffer.from(`${challenge} ${hubKey}`, 'utf8')
}

/** What the workstation signs to be enrolled. */
export function enrolmentBytes(challenge: string, hubKey: string, secret: string): Uint8Array {
  return Buffer.from(`${challenge} ${hubKey} ${secret}`, 'utf8')
}
