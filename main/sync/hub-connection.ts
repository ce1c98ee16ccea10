import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { z } from 'zod'
import { verifySignature, type WorkstationKey } from '../../platform/journal/workstation-key.ts'
import { hubMarkOf } from '../../platform/sync/enrolment-code.ts'
import { type SealingStatement, verifySealingStatement } from '../../platform/sync/sealing-key.ts'
import type { Migrations } from '../../platform/sync/versions.ts'
import {
  ChallengeAnswer,
  challengeBytes,
  digestHeader,
  digestOf,
  EnrolAnswer,
  enrolmentBytes,
  identityBytes,
  Problem,
  TokenAnswer,
} from '../../platform/sync/wire.ts'
import { explainCertificate, trustMachineCertificates } from './machine-certificates.ts'

const zip = promisify(gzip)
const worthZipping = 1_024
const answerWithinMs = 60_000
const transferWithinMs = 30 * 60_000
/** A token is exchanged for another one while it still holds. */
const tokenMarginMs = 30_000

/** Nothing came back, or nothing that says what happened: try again later. */
export class HubUnreachable extends Error {
  override readonly name = 'HubUnreachable'
}

/** The Hub said no, and why. */
export class HubRefused extends Error {
  override readonly name = 'HubRefused'
  readonly status: number
  readonly code: string
  readonly data: unknown

  constructor(status: number, { code, message, data }: z.output<typeof Problem>) {
    super(message)
    this.status = status
    this.code = code
    this.data = data ?? null
  }
}

/** Whoever answers at the address is not the Hub it should be. */
export class WrongHub extends Error {
  override readonly name = 'WrongHub'
}

export interface HubAddress {
  readonly url: string
  /** The key the Hub must prove itself by; SPKI, base64. */
  readonly hubKey: string
  /** Ends whatever is under way. */
  readonly signal?: AbortSignal
}

interface Ask {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'HEAD'
  readonly json?: object
  readonly file?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly withinMs?: number
  readonly signal?: AbortSignal
}

/** What a token's answer told, and how the clocks stand to each other. */
export interface Contact extends TokenAnswer {
  /** The Hub's clock minus this one, half the way there and back taken off. */
  readonly clockSkewMs: number
}

/** Speaks with one Hub on behalf of one workstation: proves who both are, keeps a token, retries nothing. */
export class HubConnection {
  readonly #address: HubAddress
  readonly #key: WorkstationKey
  readonly #migrations: Migrations
  readonly #sealing: SealingStatement | null
  #held: { readonly token: string; readonly until: number } | null = null
  /** Called with every new token. */
  onContact: (contact: Contact) => Promise<void> = () => Promise.resolve()

  /** `sealing` tells the Hub for which key bundles to this workstation are sealed. */
  constructor(
    address: HubAddress,
    key: WorkstationKey,
    migrations: Migrations,
    sealing: SealingStatement | null = null,
  ) {
    this.#address = address
    this.#key = key
    this.#migrations = migrations
    this.#sealing = sealing
  }

  /** A JSON answer of the Hub. Throws {@link HubUnreachable}, {@link HubRefused} or {@link WrongHub}. */
  async ask<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    ask: Ask = {},
  ): Promise<z.output<Schema>> {
    const response = await this.open(path, ask)
    return readAnswer(response, schema)
  }

  /**
   * The Hub's answer to a request with the token, once its head is there. A token that is over is renewed once; the
   * request's deadline holds for that too.
   */
  async open(path: string, ask: Ask = {}): Promise<Response> {
    const bounded = this.#untilEnd(ask)
    for (let attempt = 1; ; attempt += 1) {
      const token = await this.#token(bounded)
      const response = await send(this.#address.url, path, bounded, token)
      if (response.ok) return response
      const problem = await readProblem(response)
      if (problem.status !== 401 || attempt > 1) throw problem
      this.#held = null
    }
  }

  #untilEnd(ask: Ask): Ask {
    const { withinMs } = ask
    const deadline = withinMs === undefined ? undefined : AbortSignal.timeout(withinMs)
    const signals = [this.#address.signal, ask.signal, deadline].filter((signal) => signal !== undefined)
    return signals.length === 0 ? ask : { ...ask, signal: AbortSignal.any(signals) }
  }

  forgetToken(): void {
    this.#held = null
  }

  /** Takes up contact if there is none: afterwards a token is held. */
  async meet(): Promise<void> {
    await this.#token(this.#untilEnd({}))
  }

  /** Of what is asked, only how long it may take counts here. */
  async #token({ signal }: Ask): Promise<string> {
    if (this.#held !== null && this.#held.until > performance.now()) return this.#held.token
    const { url, hubKey } = this.#address
    const until = signal === undefined ? {} : { signal }
    const { challenge } = await challengeOf(url, (key) => key === hubKey, until)
    const sentAt = Date.now()
    const startedAt = performance.now()
    const response = await send(url, '/token', {
      ...until,
      method: 'POST',
      json: {
        fingerprint: this.#key.fingerprint,
        challenge,
        signature: this.#key.sign('hub-challenge', challengeBytes(challenge, hubKey)),
        migrations: this.#migrations,
        clock: new Date(sentAt).toISOString(),
        ...(this.#sealing === null ? {} : { sealing: this.#sealing }),
      },
    })
    const answer = await readAnswer(response, TokenAnswer)
    if (answer.sealing !== undefined && !verifySealingStatement(answer.sealing, hubKey))
      throw new HubUnreachable('The key for bundles that came from the Hub is not signed by it')
    const tookMs = performance.now() - startedAt
    this.#held = { token: answer.token, until: performance.now() + answer.expiresInMs - tokenMarginMs }
    const clockSkewMs = Math.round(Date.parse(answer.clock) - (sentAt + tookMs / 2))
    try {
      await this.onContact({ ...answer, clockSkewMs })
    } catch (error) {
      // What belongs to taking up contact is done again with the next token.
      this.#held = null
      throw error
    }
    return answer.token
  }
}

/** Asks a Hub to let this workstation in. The secret is sent only to the Hub whose mark the code carries. */
export async function askToEnrol(
  url: string,
  code: { readonly secret: string; readonly hub: string },
  key: WorkstationKey,
  about: {
    readonly workstation: { readonly id: string; readonly name: string }
    readonly laboratory: { readonly id: string; readonly name: string } | null
  },
): Promise<z.output<typeof EnrolAnswer> & { readonly hubKey: string }> {
  const { challenge, hubKey } = await challengeOf(url, (given) => hubMarkOf(given) === code.hub)
  const response = await send(url, '/enroll', {
    method: 'POST',
    json: {
      secret: code.secret,
      challenge,
      workstation: { ...about.workstation, publicKey: key.publicKey },
      laboratory: about.laboratory,
      signature: key.sign('enrolment', enrolmentBytes(challenge, hubKey, code.secret)),
    },
  })
  return { ...(await readAnswer(response, EnrolAnswer)), hubKey }
}

/** Whether what travels to this address can be read on the way by nobody else. */
export function isProtected(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return (
    protocol === 'https:' || (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))
  )
}

/** Gets a challenge from a Hub that proves it has the key it should have. */
async function challengeOf(url: string, isExpected: (hubKey: string) => boolean, ask: Ask = {}) {
  const nonce = randomBytes(32).toString('base64')
  const response = await send(url, '/challenge', { ...ask, method: 'POST', json: { nonce } })
  const answer = await readAnswer(response, ChallengeAnswer)
  const { challenge, hubKey, signature } = answer
  const proven = verifySignature({
    publicKey: hubKey,
    purpose: 'hub-identity',
    data: identityBytes(nonce, challenge),
    signature,
  })
  if (!proven || !isExpected(hubKey))
    throw new WrongHub(
      `The Hub at ${url} is not the one this workstation was enrolled for: nothing was sent to it`,
    )
  return answer
}

async function send(url: string, path: string, ask: Ask, token: string | null = null): Promise<Response> {
  const {
    method = 'GET',
    json,
    file,
    withinMs = file === undefined ? answerWithinMs : transferWithinMs,
  } = ask
  const { body, headers } = await bodyOf(json, file)
  const timeout = AbortSignal.timeout(withinMs)
  if (url.startsWith('https:')) trustMachineCertificates()
  try {
    return await fetch(`${url.replace(/\/$/, '')}/v1/sync${path}`, {
      method,
      headers: {
        ...headers,
        ...ask.headers,
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === null ? {} : { body, duplex: 'half' as const }),
      redirect: 'error',
      signal: ask.signal === undefined ? timeout : AbortSignal.any([timeout, ask.signal]),
    })
  } catch (error) {
    const distrust = explainCertificate(error)
    const words =
      distrust === null
        ? `The Hub at ${url} does not answer: ${describe(error)}`
        : `The Hub at ${url} was not spoken to: ${distrust}`
    throw new HubUnreachable(words, { cause: error })
  }
}

async function bodyOf(json: object | undefined, file: string | undefined) {
  if (file !== undefined) {
    const { size } = await stat(file)
    const headers = { 'content-type': 'application/octet-stream', 'content-length': String(size) }
    return { body: Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>, headers }
  }
  if (json === undefined) return { body: null, headers: {} }
  const bytes = Buffer.from(JSON.stringify(json), 'utf8')
  const headers = { 'content-type': 'application/json', [digestHeader]: digestOf(bytes) }
  if (bytes.length < worthZipping) return { body: bytes, headers }
  return { body: await zip(bytes), headers: { ...headers, 'content-encoding': 'gzip' } }
}

async function readAnswer<Schema extends z.ZodType>(
  response: Response,
  schema: Schema,
): Promise<z.output<Schema>> {
  if (!response.ok) throw await readProblem(response)
  const text = await readText(response)
  const digest = response.headers.get(digestHeader)
  if (digest !== null && digest !== digestOf(text))
    throw new HubUnreachable('The answer of the Hub was changed on the way')
  const parsed = schema.safeParse(parse(text))
  if (parsed.success) return parsed.data
  throw new HubUnreachable('What answers at the address of the Hub does not speak as a Hub does')
}

/** What a refusal says. What is not the Hub's own word (a proxy's page, a Hub that closes) is no refusal at all. */
async function readProblem(response: Response): Promise<HubRefused> {
  const parsed = Problem.safeParse(parse(await readText(response)))
  const mayPass = response.status >= 500 || response.status === 429
  if (!parsed.success || mayPass)
    throw new HubUnreachable(
      `The Hub cannot answer now: ${parsed.success ? parsed.data.message : `status ${response.status}`}`,
    )
  return new HubRefused(response.status, parsed.data)
}

async function readText(response: Response): Promise<string> {
  try {
    return await response.text()
  } catch (error) {
    throw new HubUnreachable(`The answer of the Hub broke off: ${describe(error)}`, { cause: error })
  }
}

/** Undefined for what is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? error.cause.message : ''
  return cause === '' ? error.message : cause
}
