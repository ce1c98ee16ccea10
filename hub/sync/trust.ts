import { createHash, randomBytes } from 'node:crypto'
import {
  fingerprintOf,
  verifySignature,
  type WorkstationKey,
} from '../../platform/journal/workstation-key.ts'
import {
  formatEnrolmentCode,
  hashOfSecret,
  hubMarkOf,
  parseEnrolmentCode,
  secretFrom,
} from '../../platform/sync/enrolment-code.ts'
import {
  type ChallengeAnswer,
  type ChallengeRequest,
  challengeBytes,
  type EnrolAnswer,
  enrolmentBytes,
  type EnrolRequest,
  identityBytes,
  type TokenAnswer,
  type TokenRequest,
} from '../../platform/sync/wire.ts'
import type { z } from 'zod'
import { countersign } from '../../platform/sync/push-run.ts'
import { type SealingStatement, verifySealingStatement } from '../../platform/sync/sealing-key.ts'
import { revoked, SyncProblem, unauthorized } from './sync-problem.ts'
import type { CodeRow, NewWorkstation, SyncStore, Workstation } from './sync-store.ts'

export interface TrustTimes {
  readonly codeLivesMs: number
  readonly challengeLivesMs: number
  readonly tokenLivesMs: number
}

const defaultTimes: TrustTimes = {
  codeLivesMs: 7 * 24 * 60 * 60_000,
  challengeLivesMs: 60_000,
  tokenLivesMs: 10 * 60_000,
}

export interface TrustOptions {
  readonly store: SyncStore
  /** The Hub's own key, whose fingerprint every code carries. */
  readonly key: WorkstationKey
  /** For which key bundles to the Hub are sealed. */
  readonly sealing?: SealingStatement
  /** Whether the Hub has a laboratory already, founded or of its own. */
  readonly isKnownLaboratory: (laboratoryId: string) => Promise<boolean>
  readonly log: (words: string) => void
  readonly times?: Partial<TrustTimes>
}

/**
 * Who is let in: enrolment by a code that is good once, then a signed challenge for every token. Nothing here looks at
 * a workstation's clock. Whatever is refused is recorded.
 */
export class Trust {
  readonly #options: TrustOptions
  readonly #store: SyncStore
  readonly #times: TrustTimes

  constructor(options: TrustOptions) {
    this.#options = options
    this.#store = options.store
    this.#times = { ...defaultTimes, ...options.times }
  }

  /** Makes a code for a workstation of a laboratory, or for the founder of one that is not here yet. */
  async createCode(made: {
    readonly laboratoryId: string | null
    readonly administratorsOffline: boolean
    readonly createdBy: string
  }): Promise<{ readonly code: string; readonly expiresAt: string }> {
    const secret = secretFrom(randomBytes(32))
    const { expiresAt } = await this.#store.addCode({
      ...made,
      secretHash: hashOfSecret(secret),
      livesMs: this.#times.codeLivesMs,
    })
    return { code: formatEnrolmentCode({ secret, hub: hubMarkOf(this.#options.key.publicKey) }), expiresAt }
  }

  /** Whether a code as somebody typed it lets a founder in: it was made for one, is unused and not over. */
  async isFounderCode(typed: string): Promise<boolean> {
    const code = parseEnrolmentCode(typed)
    return code !== null && this.#store.isOpenFounderCode(hashOfSecret(code.secret))
  }

  /** A founder's code that was used for something else than a workstation is good for nothing any more. */
  async endFounderCode(typed: string): Promise<void> {
    const code = parseEnrolmentCode(typed)
    if (code !== null) await this.#store.endCode(hashOfSecret(code.secret))
  }

  /** Gives a challenge that can be answered once, and proves who the Hub is. */
  async challenge({ nonce }: z.output<typeof ChallengeRequest>): Promise<z.output<typeof ChallengeAnswer>> {
    const { key } = this.#options
    const challenge = randomBytes(32).toString('base64')
    await this.#store.addChallenge(challenge, this.#times.challengeLivesMs)
    const signature = key.sign('hub-identity', identityBytes(nonce, challenge))
    return { challenge, hubKey: key.publicKey, signature }
  }

  /** Lets a workstation in. The same workstation may ask again with the same code: its first answer may have got lost. */
  async enrol(request: z.output<typeof EnrolRequest>): Promise<z.output<typeof EnrolAnswer>> {
    const { workstation, secret, challenge } = request
    await this.#requireFresh(challenge, null)
    const signed = verifySignature({
      publicKey: workstation.publicKey,
      purpose: 'enrolment',
      data: enrolmentBytes(challenge, this.#options.key.publicKey, secret),
      signature: request.signature,
    })
    if (!signed) return this.#refuse(unauthorized('The request is not signed by the key in it'))
    const isKnown =
      request.laboratory !== null && (await this.#options.isKnownLaboratory(request.laboratory.id))
    try {
      const { laboratoryId, isFounder } = await this.#store.useCode(
        hashOfSecret(secret),
        workstation.id,
        (code, known) => decideEnrolment(request, code, known, isKnown),
      )
      return { laboratoryId, role: isFounder ? 'founder' : 'joiner' }
    } catch (error) {
      if (error instanceof SyncProblem) return this.#refuse(error)
      throw error
    }
  }

  /** Exchanges a signed challenge for a token of ten minutes. */
  async token(
    request: z.output<typeof TokenRequest>,
  ): Promise<{ readonly workstation: Workstation; readonly answer: TokenAnswer }> {
    const workstation = await this.#store.workstationBy('fingerprint', request.fingerprint)
    await this.#requireFresh(request.challenge, workstation)
    if (workstation === null) return this.#refuse(unauthorized('No workstation with this key is enrolled'))
    const signed = verifySignature({
      publicKey: workstation.publicKey,
      purpose: 'hub-challenge',
      data: challengeBytes(request.challenge, this.#options.key.publicKey),
      signature: request.signature,
    })
    if (!signed) return this.#refuse(unauthorized('The challenge is not signed by this key'), workstation)
    if (workstation.revokedAt !== null) return this.#refuse(revoked(), workstation)
    const { sealing } = request
    if (sealing !== undefined && !verifySealingStatement(sealing, workstation.publicKey))
      return this.#refuse(unauthorized('The key for bundles is not signed by this key'), workstation)
    const token = `tsw_${randomBytes(32).toString('base64url')}`
    await this.#store.addToken(hashOfToken(token), workstation.id, this.#times.tokenLivesMs)
    const clock = new Date()
    await this.#store.noteContact(workstation.id, {
      migrations: request.migrations,
      clockSkewMs: clock.getTime() - Date.parse(request.clock),
      sealingKey: sealing?.publicKey ?? null,
    })
    const answer = {
      token,
      expiresInMs: this.#times.tokenLivesMs,
      clock: clock.toISOString(),
      pushed: workstation.pushed === null ? null : countersign(workstation.pushed, this.#options.key),
      founded: !workstation.isFounder || workstation.foundedAt !== null,
      ...(this.#options.sealing === undefined ? {} : { sealing: this.#options.sealing }),
    }
    return { workstation, answer }
  }

  /** Who holds a token. Throws for one that is unknown, over, or a workstation's that was revoked. */
  async holderOf(authorization: string | undefined): Promise<Workstation> {
    const token = /^Bearer (tsw_[\w-]+)$/i.exec(authorization ?? '')?.[1]
    if (token === undefined) throw unauthorized('A workstation gives its token here')
    const held = await this.#store.holderOf(hashOfToken(token))
    if (held === null) return this.#refuse(unauthorized('This token is not known'))
    if (held.workstation.revokedAt !== null) return this.#refuse(revoked(), held.workstation)
    if (held.isOver)
      return this.#refuse(unauthorized('This token is over: get another one'), held.workstation)
    return held.workstation
  }

  /** Records a refusal, then throws it. */
  async refuse(problem: SyncProblem, workstation: Workstation): Promise<never> {
    return this.#refuse(problem, workstation)
  }

  async #requireFresh(challenge: string, workstation: Workstation | null): Promise<void> {
    if (await this.#store.takeChallenge(challenge)) return
    await this.#refuse(
      unauthorized('This challenge was never given, was answered before, or is too old'),
      workstation,
    )
  }

  async #refuse(problem: SyncProblem, workstation: Workstation | null = null): Promise<never> {
    const { code, message: words } = problem
    this.#options.log(`${workstation?.name ?? 'Somebody'} was refused: ${words}`)
    await this.#store.recordRefusal({ code, words, ...(workstation === null ? {} : { workstation }) })
    throw problem
  }
}

/** Whom a code lets in; `known` where the workstation was let in by it before. Throws a {@link SyncProblem} to refuse. */
function decideEnrolment(
  request: z.output<typeof EnrolRequest>,
  code: CodeRow | null,
  known: Workstation | null,
  isKnownLaboratory: boolean,
): NewWorkstation | Workstation {
  const { workstation, laboratory } = request
  if (code === null) throw new SyncProblem(403, 'CODE_REFUSED', 'This enrolment code is not known')
  if (known !== null && known.publicKey !== workstation.publicKey)
    throw new SyncProblem(
      409,
      'COPIED_HOME',
      'A workstation with this identity is enrolled with another key: this home is a copy of it',
    )
  if (known !== null && code.used_by === workstation.id) return known
  if (known !== null) throw new SyncProblem(409, 'ALREADY_ENROLLED', 'This workstation is enrolled already')
  if (code.used_by !== null)
    throw new SyncProblem(403, 'CODE_REFUSED', 'This enrolment code was used by another workstation')
  if (code.is_over)
    throw new SyncProblem(403, 'CODE_REFUSED', 'This enrolment code is too old: get another one')
  const isFounder = code.laboratory_id === null
  if (isFounder && laboratory === null)
    throw new SyncProblem(
      422,
      'NOTHING_TO_FOUND',
      'This code is for a workstation that brings its laboratory: set one up there first',
    )
  if (!isFounder && laboratory !== null)
    throw new SyncProblem(
      422,
      'HAS_DATA',
      'A workstation with data can only found its own laboratory: take an empty one, and import what is here',
    )
  if (isFounder && isKnownLaboratory)
    throw new SyncProblem(409, 'LABORATORY_KNOWN', 'This laboratory is at the Hub already')
  return {
    ...workstation,
    fingerprint: fingerprintOf(workstation.publicKey),
    laboratoryId: code.laboratory_id ?? laboratory?.id ?? '',
    isFounder,
    // Whoever founds a laboratory signs in there as its administrator, with or without the Hub.
    administratorsOffline: code.administrators_offline || isFounder,
  }
}

function hashOfToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
