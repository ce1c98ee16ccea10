import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { makeTestFolder } from '../../platform/database/testing/test-folder.ts'
import { openWorkstationKey } from '../../platform/journal/workstation-key.ts'
import { HubConnection, HubUnreachable } from './hub-connection.ts'

const key = openWorkstationKey(makeTestFolder('tracseq-hub-connection-'))
/** What comes to it is taken in and never answered, as in a network that loses everything. */
const sockets: Socket[] = []
const blackHole = createServer((socket) => sockets.push(socket.on('error', () => undefined)))

beforeAll(() => new Promise<void>((resolve) => blackHole.listen(0, '127.0.0.1', resolve)))
afterAll(() => {
  for (const socket of sockets) socket.destroy()
  blackHole.close()
})

it('a deadline holds for taking up contact too, when no token is held', async () => {
  const { port } = blackHole.address() as AddressInfo
  const connection = new HubConnection({ url: `http://127.0.0.1:${port}`, hubKey: key.publicKey }, key, {})
  const startedAt = performance.now()
  const asked = connection.ask('/passed-on', z.unknown(), { method: 'POST', json: {}, withinMs: 2_000 })
  await expect(asked).rejects.toBeInstanceOf(HubUnreachable)
  expect(performance.now() - startedAt).toBeLessThan(10_000)
  expect(sockets.length).toBeGreaterThan(0)
}, 30_000)
