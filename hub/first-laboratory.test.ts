import { resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { founderCode as codeIn, Machine } from '../main/sync/testing/sync-network.ts'
import { createHttpClient, type HttpAnswer, send } from '../main/testing/http-client.ts'
import { killLeftOvers } from '../main/testing/workstation-process.ts'
import { auth } from '../services/auth/contract.ts'

const hub = new Machine({ program: resolve(import.meta.dirname, 'index.ts'), isEmpty: true })
const laboratory = {
  laboratoryName: 'Heron Genomics',
  administrator: { name: 'Ada Rivera', email: 'ada@example.org', password: 'twelve grey gulls 7' },
}

beforeAll(() => hub.start(), 120_000)
afterAll(async () => {
  await hub.remove()
  await killLeftOvers()
}, 60_000)

function setUp(body: unknown, key: string): Promise<HttpAnswer> {
  return send({
    url: `${hub.url}/v1/auth/set-up`,
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
  })
}

it('an empty Hub is set up over the network with the code in its folder, once, and by nobody else', async () => {
  const founderCode = await codeIn(hub)
  for (const wrong of [laboratory, { ...laboratory, founderCode: 'ABCDE-FGHJK' }])
    expect((await setUp(wrong, crypto.randomUUID())).status).toBe(403)
  for (const malformed of [{ ...laboratory, founderCode: 7 }, [], 'nothing'])
    expect((await setUp(malformed, crypto.randomUUID())).status).toBe(400)

  const key = crypto.randomUUID()
  expect((await setUp({ ...laboratory, founderCode }, key)).status).toBe(200)
  // Whoever did not get the answer, or comes too late, is told that it is set up, and not that the code is wrong.
  for (const later of [key, crypto.randomUUID()])
    expect((await setUp({ ...laboratory, founderCode }, later)).status).toBe(409)
  const status = await createHttpClient(hub.url, auth, null).status()
  expect(status).toMatchObject({ setUp: true, laboratory: { name: 'Heron Genomics' } })
}, 60_000)
