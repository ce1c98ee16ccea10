import { expect, it } from 'vitest'
import type { Gateway } from '../../platform/gateway/gateway.ts'
import { Catalogue } from '../../platform/gateway/catalogue.ts'
import { PassedOnRequest } from '../../platform/sync/passed-on.ts'
import { shipments } from '../../services/shipments/contract.ts'
import { PassedOn } from './passed-on.ts'
import { People } from './people.ts'

const userId = '0199aa00-0000-7000-8000-000000000001'
const laboratoryId = '0199aa00-0000-7000-8000-000000000002'
const workstation = { laboratoryId }
const request: PassedOnRequest = {
  domain: 'shipments',
  procedure: 'cancel',
  input: {},
  actor: { userId },
  idempotencyKey: 'one-click',
}

/** A Hub that knows one person, and notes for whom its shipments are asked. */
function openPassedOn(permissions: readonly string[]) {
  const actors: unknown[] = []
  const catalogue = new Catalogue()
  catalogue.add('shipments', shipments)
  const gateway = {
    catalogue,
    call({ path, origin }: { path: readonly string[]; origin: { actor: unknown } }) {
      if (path[0] === 'auth')
        return Promise.resolve({
          known: true,
          people: [{ userId, name: 'Grace Otieno', status: 'active', permissions }],
        })
      actors.push(origin.actor)
      return Promise.resolve('done')
    },
  } as unknown as Gateway
  const people = new People(gateway, { workstationsOf: () => Promise.resolve([]) })
  return { passedOn: new PassedOn(gateway, people), actors }
}

it('a person is called what the Hub calls them, whatever the workstation would say', async () => {
  const { passedOn, actors } = openPassedOn(['shipments:send'])
  expect(await passedOn.ask(workstation, request)).toBe('done')
  expect(actors).toMatchObject([{ userId, name: 'Grace Otieno', laboratoryId }])
  const named = { ...request, actor: { userId, name: 'Somebody Else' } }
  expect(PassedOnRequest.safeParse(request).success).toBe(true)
  expect(PassedOnRequest.safeParse(named).success).toBe(false)
})

it('without the permission at the Hub nothing is asked', async () => {
  const { passedOn, actors } = openPassedOn(['shipments:read'])
  await expect(passedOn.ask(workstation, request)).rejects.toMatchObject({ status: 403, code: 'FORBIDDEN' })
  expect(actors).toEqual([])
})
