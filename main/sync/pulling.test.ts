import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Gateway } from '../../platform/gateway/gateway.ts'
import { hashEntry, hashPayload } from '../../platform/journal/entry.ts'
import { openWorkstationKey } from '../../platform/journal/workstation-key.ts'
import { makeTestFolder } from '../../platform/database/testing/test-folder.ts'
import type { LogPlace, WireEntry } from '../../platform/sync/domain-contract.ts'
import { emptyLog } from '../../platform/sync/log.ts'
import { Domains } from './domains.ts'
import { FileExchange } from './file-exchange.ts'
import { HubConnection } from './hub-connection.ts'
import { ForgedLog, Pulling } from './pulling.ts'

const key = openWorkstationKey(makeTestFolder('tracseq-pulling-'))
const names = ['samples', 'storage'] as const

/** A Hub's log of so many entries, from the first on. */
function logOf(length: number, mark = ''): readonly WireEntry[] {
  let previous: Uint8Array = Buffer.from(emptyLog.hash, 'hex')
  return Array.from({ length }, (_, index) => {
    const payload = JSON.stringify({ entry: index, mark })
    previous = hashEntry(previous, index + 1, hashPayload(payload))
    const domain = names[index % 2] ?? 'samples'
    return { position: index + 1, hash: Buffer.from(previous).toString('hex'), domain, payload }
  })
}

function pieceOf(log: readonly WireEntry[], after: number, upTo: number) {
  const place = log[after - 1] ?? emptyLog
  const entries = log.slice(after, upTo)
  return { after: { position: place.position, hash: place.hash }, entries, head: log.length }
}

/** Two domains that note what they are given, behind nothing but the two questions that following asks. */
async function openFollower() {
  const followed: WireEntry[] = []
  const places = new Map<string, LogPlace>(names.map((name) => [name, { ...emptyLog }]))
  const gateway = {
    wakeInTurn: () => Promise.resolve(),
    services: () => [],
    call({ path: [domain = '', procedure], input }: { path: readonly string[]; input: unknown }) {
      const place = places.get(domain) ?? { ...emptyLog }
      if (procedure === 'syncState')
        return Promise.resolve({ place, pending: 0, migrations: [], fileColumns: {} })
      const { entries, upTo } = input as { entries: readonly WireEntry[]; upTo: LogPlace }
      followed.push(...entries)
      places.set(domain, upTo)
      return Promise.resolve({ place: upTo, pending: 0 })
    },
  } as unknown as Gateway
  const domains = new Domains(gateway, names)
  await domains.read()
  const connection = new HubConnection({ url: 'http://127.0.0.1:9', hubKey: key.publicKey }, key, {})
  const files = new FileExchange({ home: '', laboratoryId: '', domains, connection, log: () => undefined })
  return { pulling: new Pulling({ home: '', domains, connection, files }), followed }
}

it('follows every entry once and in order, however the pieces of the log are cut, doubled and mixed', async () => {
  const log = logOf(24)
  const piece = fc
    .tuple(fc.nat(24), fc.nat(24))
    .map(([one, two]) => [Math.min(one, two), Math.max(one, two)] as const)
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
      const { pulling, followed } = await openFollower()
      let position = 0
      for (const [after, upTo] of pieces) {
        const taken = await pulling.take(pieceOf(log, after, upTo))
        expect(taken).toBe(after > position ? null : Math.max(0, upTo - position))
        if (after <= position) position = Math.max(position, upTo)
      }
      expect(pulling.position).toBe(position)
      expect(followed.toSorted((left, right) => left.position - right.position)).toEqual(
        log.slice(0, position),
      )
      for (const name of names) {
        const own = followed.filter(({ domain }) => domain === name).map((entry) => entry.position)
        expect(own).toEqual(own.toSorted((left, right) => left - right))
      }
    }),
  )
})

it('takes nothing of another log, whether it parts from this one before, at, or after what is here', async () => {
  const log = logOf(10)
  const other = logOf(10, 'other')
  const { pulling, followed } = await openFollower()
  await pulling.take(pieceOf(log, 0, 6))
  for (const [after, upTo] of [
    [0, 10],
    [3, 8],
    [6, 10],
    [0, 6],
  ] as const)
    await expect(pulling.take(pieceOf(other, after, upTo))).rejects.toThrow(ForgedLog)
  const mixed = { ...pieceOf(log, 4, 10), entries: [...log.slice(4, 7), ...other.slice(7)] }
  await expect(pulling.take(mixed)).rejects.toThrow(/^Entry 8 of the Hub's log does not follow/)
  expect(followed).toHaveLength(6)
  expect(pulling.position).toBe(6)
})

it('takes pieces that come at the same time one after the other', async () => {
  const log = logOf(12)
  const { pulling, followed } = await openFollower()
  const taken = await Promise.all(
    [pieceOf(log, 0, 8), pieceOf(log, 0, 12), pieceOf(log, 4, 12)].map((piece) => pulling.take(piece)),
  )
  expect(taken).toEqual([8, 4, 0])
  expect(followed).toHaveLength(12)
})
