import { hash, type KeyObject } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, rm } from 'node:fs/promises'
import { CompactEncrypt, compactDecrypt } from 'jose'
import { z } from 'zod'
import { largestFileBytes } from '../gateway/contract.ts'
import { describeIssue } from '../journal/entry.ts'
import { verifySignature, type WorkstationKey } from '../journal/workstation-key.ts'

/*
 * A sync bundle is one file of text lines: a clear header, its signature, then sealed parts.
 *
 *   {"tracseqBundle":1,"id":…,"from":…,"to":…,"parts":[{"bytes":…,"sha256":…},…]}
 *   <Ed25519 signature of the line above, base64>
 *   <part 0: compact JWE, ECDH-ES to the recipient's X25519 key, A256GCM, deflated JSON>
 *   …
 *
 * The header is signed by the sender and names size and hash of every part, so all of the file is proven before any
 * part is opened. Each part names in its own protected header the bundle, its number and the sender: nobody can put it
 * into a bundle of their own.
 */

const format = 1

/** What a front door takes as one file. */
export const largestBundleBytes = largestFileBytes
/** Of one part as text, before it is deflated and sealed: as much as a push over the network may have. */
const largestPartBytes = 32 * 1024 * 1024
const mostParts = 10_000
const largestHeaderBytes = 1536 * 1024
/** Left free for the header, the signature and the manifest when parts are added. */
const reserveBytes = 2 * 1024 * 1024

const Hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 hash in hexadecimal')

/** What everybody may read of a bundle. */
export const BundleHeader = z.strictObject({
  tracseqBundle: z.literal(format),
  id: z.uuid(),
  direction: z.enum(['to-hub', 'to-workstation']),
  laboratoryId: z.uuid(),
  /** Fingerprints of the Ed25519 keys of sender and recipient. */
  from: Hash,
  to: Hash,
  madeAt: z.iso.datetime(),
  /** Of the workstation's journal, or of the Hub's log: what comes after the first number, up to the second. */
  range: z.strictObject({ after: z.int().min(0), upTo: z.int().min(0) }),
  parts: z
    .array(z.strictObject({ bytes: z.int().min(1).max(largestBundleBytes), sha256: Hash }))
    .min(1)
    .max(mostParts),
})
export type BundleHeader = z.output<typeof BundleHeader>

/** What a bundle is about, before its parts are known. */
export type BundleAbout = Omit<BundleHeader, 'tracseqBundle' | 'range' | 'parts'>

export type BundleFault =
  | 'NOT_A_BUNDLE'
  | 'UNKNOWN_VERSION'
  | 'CUT'
  | 'ALTERED'
  | 'FOREIGN'
  | 'REVOKED'
  | 'WRONG_RECIPIENT'
  | 'WRONG_DIRECTION'
  | 'OTHER_KEY'
  | 'OUT_OF_TURN'
  | 'ANOTHER_HISTORY'
  | 'TOO_OLD_HERE'
  | 'TOO_OLD_THERE'
  | 'TOO_LARGE'
  | 'GONE'

/** Why a bundle is not taken, or cannot be made. */
export class BundleProblem extends Error {
  override readonly name = 'BundleProblem'
  readonly fault: BundleFault

  constructor(fault: BundleFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}

/** Writes a bundle part by part, so that no more than one of them is in memory. */
export class BundleWriter {
  readonly #options: BundleWriterOptions
  readonly #partsPath: string
  readonly #partsFile: FileHandle
  readonly #parts: { readonly bytes: number; readonly sha256: string }[] = []
  #bytes = 0

  private constructor(options: BundleWriterOptions, partsPath: string, partsFile: FileHandle) {
    this.#options = options
    this.#partsPath = partsPath
    this.#partsFile = partsFile
  }

  static async create(options: BundleWriterOptions): Promise<BundleWriter> {
    const partsPath = `${options.path}.parts`
    return new BundleWriter(options, partsPath, await open(partsPath, 'wx+', 0o600))
  }

  /**
   * Adds a part. False when it does not fit any more, and nothing was added; a first part that does not fit is a
   * {@link BundleProblem}, for then no bundle ever would hold it.
   */
  async add(content: object): Promise<boolean> {
    const sealed = await this.#seal(content)
    const room = (this.#options.mostBytes ?? largestBundleBytes) - reserveBytes
    if (this.#bytes + sealed.length <= room && this.#parts.length < mostParts - 1) {
      await this.#append(sealed)
      return true
    }
    if (this.#parts.length > 0) return false
    throw new BundleProblem(
      'TOO_LARGE',
      `One part alone has ${sealed.length} bytes; a bundle has room for ${room}`,
    )
  }

  /** Closes the bundle with what it says of itself; afterwards the file is whole and on disk. Its size in bytes. */
  async finish(range: BundleHeader['range'], manifest: object): Promise<number> {
    await this.#append(await this.#seal(manifest))
    const { path, about, signer } = this.#options
    const header: BundleHeader = { tracseqBundle: format, ...about, range, parts: this.#parts }
    const line = Buffer.from(JSON.stringify(header), 'utf8')
    const head = Buffer.concat([line, newLine, Buffer.from(signer.sign('bundle', line), 'ascii'), newLine])
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(head)
      for await (const chunk of createReadStream(this.#partsPath)) await file.writeFile(chunk as Uint8Array)
      await file.sync()
    } finally {
      await file.close()
    }
    return head.length + this.#bytes
  }

  /** Lets go of what is not needed any more, whether the bundle was finished or not. */
  async close(): Promise<void> {
    await this.#partsFile.close()
    await rm(this.#partsPath, { force: true })
  }

  async #seal(content: object): Promise<Buffer> {
    const { about, recipient } = this.#options
    const text = Buffer.from(JSON.stringify(content), 'utf8')
    if (text.length > largestPartBytes)
      throw new BundleProblem(
        'TOO_LARGE',
        `A part has ${text.length} bytes; at most ${largestPartBytes} are taken`,
      )
    const sealed = await new CompactEncrypt(text)
      .setProtectedHeader({
        alg: 'ECDH-ES',
        enc: 'A256GCM',
        zip: 'DEF',
        ...placeOf(about, this.#parts.length),
      })
      .encrypt(recipient)
    return Buffer.from(sealed, 'ascii')
  }

  async #append(sealed: Buffer): Promise<void> {
    await this.#partsFile.writeFile(Buffer.concat([sealed, newLine]))
    this.#parts.push({ bytes: sealed.length, sha256: hash('sha256', sealed, 'hex') })
    this.#bytes += sealed.length + newLine.length
  }
}

export interface BundleWriterOptions {
  readonly path: string
  readonly about: BundleAbout
  readonly signer: WorkstationKey
  /** The recipient's X25519 key. */
  readonly recipient: KeyObject
  /** Less than {@link largestBundleBytes} for tests. */
  readonly mostBytes?: number
}

const newLine = Buffer.from('\n', 'ascii')
/** How every bundle begins, by the order of its header's fields. */
const beginning = Buffer.from('{"tracseqBundle":', 'ascii')

/**
 * Opens a bundle and proves all of it. `signerOf` is told what the header claims and answers the sender's Ed25519 key, or
 * throws for a sender or recipient that is not to be served. Throws a {@link BundleProblem} that names the place and the
 * rule.
 */
export async function openBundle(
  path: string,
  signerOf: (claimed: BundleHeader) => Promise<string> | string,
): Promise<Bundle> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size > largestBundleBytes)
      throw new BundleProblem(
        'TOO_LARGE',
        `The file has ${size} bytes; a bundle has at most ${largestBundleBytes}`,
      )
    const { header, line, signature, startsAt } = await readHead(file)
    const publicKey = await signerOf(header)
    // Base64 can be written in more than one way; a bundle has one.
    const isPlain = Buffer.from(signature, 'base64').toString('base64') === signature
    if (!isPlain || !verifySignature({ publicKey, purpose: 'bundle', data: line, signature }))
      throw new BundleProblem(
        'ALTERED',
        'The header is not what its sender signed: nothing of the file was taken',
      )
    checkSize(header, startsAt, size)
    const bundle = new Bundle(file, header, startsAt)
    await bundle.prove()
    return bundle
  } catch (error) {
    await file.close()
    throw error
  }
}

/** A bundle that is what its sender made. */
export class Bundle {
  readonly header: BundleHeader
  readonly #file: FileHandle
  readonly #startsAt: number

  constructor(file: FileHandle, header: BundleHeader, startsAt: number) {
    this.#file = file
    this.header = header
    this.#startsAt = startsAt
  }

  /** How many parts there are beside the manifest. */
  get parts(): number {
    return this.header.parts.length - 1
  }

  /** What the bundle says of itself. */
  manifest<Schema extends z.ZodType>(schema: Schema, key: KeyObject): Promise<z.output<Schema>> {
    return this.#open(this.parts, schema, key)
  }

  /** One part, from 0. */
  part<Schema extends z.ZodType>(index: number, schema: Schema, key: KeyObject): Promise<z.output<Schema>> {
    if (index < 0 || index >= this.parts) throw new RangeError(`The bundle has no part ${index}`)
    return this.#open(index, schema, key)
  }

  /** Reads every part and compares it with the header. */
  async prove(): Promise<void> {
    for (const index of this.header.parts.keys()) await this.#read(index)
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #open<Schema extends z.ZodType>(
    index: number,
    schema: Schema,
    key: KeyObject,
  ): Promise<z.output<Schema>> {
    const sealed = await this.#read(index)
    const { plaintext, protectedHeader } = await unseal(sealed, key, index)
    const expected = placeOf(this.header, index)
    for (const [name, value] of Object.entries(expected))
      if (protectedHeader[name] !== value)
        throw new BundleProblem('ALTERED', `Part ${index} was made for another bundle or another place in it`)
    const parsed = schema.safeParse(parseJson(plaintext))
    if (parsed.success) return parsed.data
    throw new BundleProblem('ALTERED', `Part ${index} is not valid: ${describeIssue(parsed.error)}`)
  }

  async #read(index: number): Promise<Buffer> {
    const { parts } = this.header
    const part = parts[index]
    if (part === undefined) throw new RangeError(`The bundle has no part ${index}`)
    const before = parts.slice(0, index).reduce((sum, { bytes }) => sum + bytes + newLine.length, 0)
    const content = Buffer.alloc(part.bytes + newLine.length)
    const { bytesRead } = await this.#file.read(content, 0, content.length, this.#startsAt + before)
    const sealed = content.subarray(0, part.bytes)
    if (
      bytesRead !== content.length ||
      content.at(-1) !== newLine[0] ||
      hash('sha256', sealed, 'hex') !== part.sha256
    )
      throw new BundleProblem(
        'ALTERED',
        `Part ${index} is not what its sender signed: nothing of the file was taken`,
      )
    return sealed
  }
}

/** What binds a part to its place: it is sealed with it. */
function placeOf({ id, from }: Pick<BundleHeader, 'id' | 'from'>, part: number) {
  return { bundle: id, from, part }
}

async function unseal(sealed: Buffer, key: KeyObject, index: number) {
  try {
    return await compactDecrypt(sealed.toString('ascii'), key, {
      keyManagementAlgorithms: ['ECDH-ES'],
      contentEncryptionAlgorithms: ['A256GCM'],
      maxDecompressedLength: largestPartBytes,
    })
  } catch (error) {
    throw new BundleProblem(
      'OTHER_KEY',
      `Part ${index} does not open with the key of this computer: it was sealed for another one. Let both sides speak over the network once, then make the bundle again`,
      { cause: error },
    )
  }
}

function parseJson(text: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(text).toString('utf8'))
  } catch {
    return undefined
  }
}

/** The signed line as it stands in the file, what it says, and where the parts begin. */
async function readHead(file: FileHandle) {
  const start = Buffer.alloc(largestHeaderBytes)
  const { bytesRead } = await file.read(start, 0, start.length, 0)
  const read = start.subarray(0, bytesRead)
  const lineEnd = read.indexOf(newLine)
  if (lineEnd === -1)
    throw read.subarray(0, beginning.length).equals(beginning)
      ? new BundleProblem('CUT', 'The file ends within its header: copy it again')
      : notABundle()
  const line = read.subarray(0, lineEnd)
  const header = readHeader(line)
  const signatureEnd = read.indexOf(newLine, lineEnd + 1)
  if (signatureEnd === -1) throw new BundleProblem('CUT', 'The file ends within its signature: copy it again')
  const signature = read.subarray(lineEnd + 1, signatureEnd).toString('ascii')
  return { header, line, signature, startsAt: signatureEnd + 1 }
}

function readHeader(line: Uint8Array): BundleHeader {
  const said = parseJson(line)
  const version = z.object({ tracseqBundle: z.int() }).safeParse(said)
  if (!version.success) throw notABundle()
  if (version.data.tracseqBundle !== format)
    throw new BundleProblem(
      'UNKNOWN_VERSION',
      `The bundle has format ${version.data.tracseqBundle}, this program knows ${format}: update it first`,
    )
  const parsed = BundleHeader.safeParse(said)
  if (parsed.success) return parsed.data
  throw new BundleProblem('ALTERED', `The header is not valid: ${describeIssue(parsed.error)}`)
}

function notABundle(): BundleProblem {
  return new BundleProblem('NOT_A_BUNDLE', 'This file is no sync bundle of TracSeq')
}

function checkSize({ parts }: BundleHeader, startsAt: number, size: number): void {
  const expected = startsAt + parts.reduce((sum, { bytes }) => sum + bytes + newLine.length, 0)
  if (size < expected)
    throw new BundleProblem(
      'CUT',
      `The file has ${size} bytes of ${expected}: it was cut off on the way. Copy it again`,
    )
  if (size > expected)
    throw new BundleProblem(
      'ALTERED',
      `The file goes on after its last part, ${size - expected} bytes further`,
    )
}
