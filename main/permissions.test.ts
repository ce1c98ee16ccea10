import type { AnyContractRouter } from '@orpc/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { allPermissions, permissionsOf, type RoleName, roleNames } from '../services/auth/domain/roles.ts'
import { Catalogue, type KnownProcedure } from '../platform/gateway/catalogue.ts'
import { system } from '../platform/gateway/contract.ts'
import { sync } from '../platform/sync/contract.ts'
import { domainSyncContract } from '../platform/sync/domain-contract.ts'
import { Received } from '../services/samples/contract.ts'
import { shipments } from '../services/shipments/contract.ts'
import { services } from '../services/registry.ts'
import { devices } from './devices/contract.ts'
import { codeOf, startWorkstationHere, type WorkstationHere } from './testing/workstation-here.ts'

const nobody = 'nobody'
type Caller = RoleName | typeof nobody

const Made = z.object({ id: z.string() })

const procedures = listProcedures()
const served = procedures.filter(({ meta }) => !meta.internal)

let bench: WorkstationHere
const tokens = new Map<Caller, string | null>([[nobody, null]])

beforeAll(async () => {
  bench = await startWorkstationHere()
  await bench.wakeAll()
  const admin = await bench.signIn()
  for (const role of roleNames) {
    const person = { email: `${role}@example.org`, password: `seven-blue-centrifuges-${role}` }
    await bench.call('auth.createUser', { ...person, name: role, roles: [role] }, { token: admin })
    tokens.set(role, await bench.signIn(person))
  }
}, 120_000)
afterAll(() => bench.close())

describe('every procedure', () => {
  test('of every domain is in the table', () => {
    const workstation = bench.workstation.gateway.catalogue.list().map(({ label }) => label)
    expect(procedures.map(({ label }) => label).sort()).toEqual([...workstation].sort())
    expect(procedures.length).toBeGreaterThan(100)
  })

  test.each(procedures)('$label declares a permission that some role holds', ({ meta }) => {
    const words = ['public', 'signed-in', ...allPermissions]
    expect(words).toContain(meta.permission)
  })

  // Nothing that is no object is anybody's input, so whoever is let through changes nothing.
  test.each(served)('$label is open to those it names and to nobody else', async (procedure) => {
    for (const [caller, token] of tokens) {
      const outcome = await codeOf(callHarmlessly(procedure, token))
      const expected = expectedRefusal(procedure, caller)
      // Whoever is let through may still be told that this is the wrong machine for it.
      const letThrough = ['OK', 'BAD_REQUEST', 'AT_HUB_ONLY']
      if (expected === null) expect(letThrough, `${caller}: ${outcome}`).toContain(outcome)
      else expect(outcome, caller).toBe(expected)
    }
  })
})

describe('receiving a tube into a box', () => {
  const receivers = roleNames.filter((role) => permissionsOf(role).includes('samples:create'))
  let boxId: string

  beforeAll(async () => {
    const token = tokens.get('lab_administrator') ?? null
    const make = async (input: object) =>
      Made.parse(await bench.call('storage.createNode', input, { token })).id
    const freezer = await make({ kind: 'freezer', name: 'F1', zone: 'minus_80' })
    const shelf = await make({ kind: 'shelf', parentId: freezer, name: 'Shelf 1' })
    const rack = await make({ kind: 'rack', parentId: shelf, name: 'Rack A' })
    boxId = await make({ kind: 'box', parentId: rack, name: 'Box 1', rows: 9, columns: 9 })
  })

  test.each(receivers)('works from end to end for %s, and can be taken back', async (role) => {
    const token = tokens.get(role) ?? null
    const input = { sample: { name: `Tube of ${role}`, type: 'dna' }, placement: { boxId } }
    const { sample, place } = Received.parse(await bench.call('samples.receive', input, { token }))
    expect(place).toMatchObject({ boxId })
    const undo = { sampleIds: [sample.id], reason: 'Received by mistake' }
    expect(await bench.call('samples.undoReceive', undo, { token })).toMatchObject([{ ok: true }])
  })
})

test('the administrator holds every permission, and each role all of the one below', () => {
  expect(permissionsOf('lab_administrator')).toEqual(allPermissions)
  for (const [index, role] of roleNames.entries()) {
    const below = roleNames[index - 1]
    if (below !== undefined)
      expect(permissionsOf(role)).toEqual(expect.arrayContaining([...permissionsOf(below)]))
  }
})

test.each(procedures.filter(({ meta }) => meta.internal))(
  '$label is out of reach for everybody at a door',
  async ({ label }) => {
    for (const token of tokens.values()) {
      expect(await codeOf(bench.call(label, 'no input of anything', { token }))).toBe('NOT_FOUND')
    }
  },
)

test('an unknown token, a locked session and a signed-out one open nothing', async () => {
  const person = { email: 'guest@example.org', password: 'seven-blue-centrifuges-guest' }
  const reading = (token: string) => codeOf(bench.call('barcodes.statistics', undefined, { token }))
  expect(await reading('a token of nobody')).toBe('UNAUTHORIZED')
  const locked = await bench.signIn(person)
  expect(await reading(locked)).toBe('OK')
  await bench.call('auth.lock', {}, { token: locked })
  expect(await reading(locked)).toBe('SESSION_LOCKED')
  const ended = await bench.signIn(person)
  await bench.call('auth.logout', {}, { token: ended })
  expect(await reading(ended)).toBe('UNAUTHORIZED')
})

function expectedRefusal({ meta }: KnownProcedure, caller: Caller): 'UNAUTHORIZED' | 'FORBIDDEN' | null {
  const { permission } = meta
  if (permission === 'public') return null
  if (caller === nobody) return 'UNAUTHORIZED'
  if (permission === 'signed-in') return null
  return (permissionsOf(caller) as readonly string[]).includes(permission) ? null : 'FORBIDDEN'
}

async function callHarmlessly({ label }: KnownProcedure, token: string | null): Promise<void> {
  const answer = await bench.call(label, 'no input of anything', { token })
  // A stream goes on until its reader leaves.
  if (isStream(answer)) await answer.return(undefined)
}

function isStream(answer: unknown): answer is AsyncGenerator {
  return typeof answer === 'object' && answer !== null && Symbol.asyncIterator in answer
}

function listProcedures(): readonly KnownProcedure[] {
  const catalogue = new Catalogue()
  for (const { name, contract } of services)
    catalogue.add(name, {
      ...(contract as Readonly<Record<string, AnyContractRouter>>),
      ...domainSyncContract(name),
    })
  catalogue.add('system', system)
  catalogue.add('devices', devices)
  catalogue.add('sync', sync)
  catalogue.add('shipments', shipments)
  return catalogue.list()
}
