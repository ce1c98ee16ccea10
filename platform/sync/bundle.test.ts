import { hash, randomBytes, randomUUID } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { makeTestFolder } from '../database/testing/test-folder.ts'
import { createFileStore } from '../journal/secret-store.ts'
import { openWorkstationKey } from '../journal/workstation-key.ts'
import { BundleProblem, BundleWriter, openBundle } from './bundle.ts'
import { openSealingKey, sealingKeyFrom, stateSealingKey, verifySealingStatement } from './sealing-key.ts'

const folder = makeTestFolder('tracseq-bundle-')
const sender = openWorkstationKey(makeTestFolder('tracseq-bundle-'))
const stranger = openWorkstationKey(makeTestFolder('tracseq-bundle-'))
const recipient = openWorkstationKey(makeTestFolder('tracseq-bundle-'))
const sealing = openSealingKey(createFileStore(makeTestFolder('tracseq-bundle-')))
const otherSealing = openSealingKey(createFileStore(makeTestFolder('tracseq-bundle-')))
const { publicKey: sealedFor } = stateSealingKey(sealing, recipient)

const Part = z.object({ words: z.array(z.string()) })
const Manifest = z.object({ parts: z.number() })
const range = { after: 4, upTo: 9 }

function about() {
  return {
    id: randomUUID(),
    direction: 'to-hub',
    laboratoryId: randomUUID(),
    from: sender.fingerprint,
    to: recipient.fingerprint,
    madeAt: '2026-11-21T10:00:00.000Z',
  } as const
}

async function write(
  contents: readonly (readonly string[])[],
  signer = sender,
  said = about(),
): Promise<string> {
  const path = join(folder, randomUUID())
  const writer = await BundleWriter.create({
    path,
    about: said,
    signer,
    recipient: sealingKeyFrom(sealedFor),
  })
  try {
    for (const words of contents) expect(await writer.add({ words })).toBe(true)
    expect(await writer.finish(range, { parts: contents.length })).toBe(readFileSync(path).length)
  } finally {
    await writer.close()
  }
  return path
}

async function read(path: string, key = sealing): Promise<readonly (readonly string[])[]> {
  const bundle = await openBundle(path, () => sender.publicKey)
  try {
    const { parts } = await bundle.manifest(Manifest, key)
    const contents: string[][] = []
    for (let index = 0; index < bundle.parts; index += 1)
      contents.push((await bundle.part(index, Part, key)).words)
    expect(parts).toBe(contents.length)
    return contents
  } finally {
    await bundle.close()
  }
}

function altered(path: string, change: (content: Buffer) => Buffer): string {
  const other = join(folder, randomUUID())
  writeFileSync(other, change(readFileSync(path)))
  return other
}

async function faultOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => null,
    (problem: unknown) => problem,
  )
  return error instanceof BundleProblem ? error.fault : `no problem of the bundle: ${String(error)}`
}

it('gives back what was put in, and leaves nothing beside it', async () => {
  const contents = [['one', 'ünï\u{1F9EC}'], [], [randomBytes(100_000).toString('base64')]]
  const path = await write(contents)
  expect(await read(path)).toEqual(contents)
  expect(readdirSync(folder).filter((name) => name.endsWith('.parts'))).toEqual([])
})

it('shows nothing of its content to whoever finds it', async () => {
  const path = await write([['Patient 0815', 'TS-7K2M-0004-X']])
  const text = readFileSync(path, 'latin1')
  expect(text).toContain(sender.fingerprint)
  expect(text).not.toMatch(/0815|7K2M/)
  expect(await faultOf(read(path, otherSealing))).toBe('OTHER_KEY')
})

it('is refused when any byte of it was changed', async () => {
  const path = await write([['first'], ['second', 'third']])
  const { length } = readFileSync(path)
  await fc.assert(
    fc.asyncProperty(fc.nat(length - 1), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
      const other = altered(path, (content) => {
        content[at] = (content[at] ?? 0) ^ mask
        return content
      })
      expect(await faultOf(read(other))).toMatch(/^(ALTERED|NOT_A_BUNDLE|UNKNOWN_VERSION|CUT|TOO_LARGE)$/)
    }),
    { numRuns: 400 },
  )
}, 60_000)

it('is refused when it was cut off anywhere, or goes on after its end', async () => {
  const path = await write([['first'], ['second']])
  const { length } = readFileSync(path)
  await fc.assert(
    fc.asyncProperty(fc.nat(length - 1), async (end) => {
      const cut = altered(path, (content) => content.subarray(0, end))
      expect(await faultOf(read(cut))).toMatch(/^(CUT|NOT_A_BUNDLE)$/)
    }),
    { numRuns: 100 },
  )
  expect(await faultOf(read(altered(path, (content) => content.subarray(0, length - 1))))).toBe('CUT')
  expect(await faultOf(read(altered(path, (content) => Buffer.concat([content, content]))))).toBe('ALTERED')
})

it('is refused when somebody else signed it, also with the parts of a real one', async () => {
  expect(await faultOf(read(await write([['mine']], stranger)))).toBe('ALTERED')
  const [, , part = '', manifest = ''] = readFileSync(await write([['theirs']]), 'utf8').split('\n')
  // A bundle of the stranger's own, with parts that were sealed by somebody else.
  const said = { ...about(), from: stranger.fingerprint }
  const own = await write([['mine']], stranger, said)
  const [header = ''] = readFileSync(own, 'utf8').split('\n')
  const sizeOf = (text: string) => ({
    bytes: text.length,
    sha256: hash('sha256', text, 'hex'),
  })
  const line = JSON.stringify({ ...(JSON.parse(header) as object), parts: [sizeOf(part), sizeOf(manifest)] })
  const stolen = join(folder, randomUUID())
  writeFileSync(stolen, [line, stranger.sign('bundle', Buffer.from(line)), part, manifest, ''].join('\n'))
  const bundle = await openBundle(stolen, () => stranger.publicKey)
  expect(await faultOf(bundle.part(0, Part, sealing))).toBe('ALTERED')
  expect(await faultOf(bundle.manifest(Manifest, sealing))).toBe('ALTERED')
  await bundle.close()
})

it('says of other files and later formats what they are', async () => {
  const path = join(folder, 'other')
  for (const content of ['', 'name,type\nA,DNA\n', '{"a":1}\nx\n', randomBytes(5_000)]) {
    writeFileSync(path, content)
    expect(await faultOf(read(path))).toBe('NOT_A_BUNDLE')
  }
  writeFileSync(path, '{"tracseqBundle":2,"something":"new"}\nx\n')
  expect(await faultOf(read(path))).toBe('UNKNOWN_VERSION')
  writeFileSync(path, '{"tracseqBundle":1,"id":"no"}\nx\n')
  await expect(read(path)).rejects.toThrow(/^The header is not valid: id: /)
})

it('takes parts until it is full, and says so', async () => {
  const path = join(folder, randomUUID())
  const options = { about: about(), signer: sender, recipient: sealingKeyFrom(sealedFor) }
  const writer = await BundleWriter.create({ ...options, path, mostBytes: 2 * 1024 * 1024 + 50_000 })
  const words = [randomBytes(15_000).toString('base64')]
  const added = [await writer.add({ words }), await writer.add({ words }), await writer.add({ words })]
  expect(added).toEqual([true, true, false])
  await writer.finish(range, { parts: 2 })
  await writer.close()
  expect(await read(path)).toEqual([words, words])
  const small = await BundleWriter.create({ ...options, path: `${path}-2`, mostBytes: 2 * 1024 * 1024 + 100 })
  expect(await faultOf(small.add({ words }))).toBe('TOO_LARGE')
  await small.close()
})

it('the key it is sealed for is the same at every start, and known by the signature of its owner', () => {
  const home = makeTestFolder('tracseq-bundle-')
  const first = stateSealingKey(openSealingKey(createFileStore(home)), recipient)
  expect(stateSealingKey(openSealingKey(createFileStore(home)), recipient)).toEqual(first)
  expect(verifySealingStatement(first, recipient.publicKey)).toBe(true)
  expect(verifySealingStatement(first, stranger.publicKey)).toBe(false)
  expect(verifySealingStatement({ ...first, publicKey: sealedFor }, recipient.publicKey)).toBe(false)
  const signature = recipient.sign('sealing-key', Buffer.from(sender.publicKey, 'base64'))
  expect(verifySealingStatement({ publicKey: sender.publicKey, signature }, recipient.publicKey)).toBe(false)
})
