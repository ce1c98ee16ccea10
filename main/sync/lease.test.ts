import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { auth } from '../../services/auth/contract.ts'
import { samples } from '../../services/samples/contract.ts'
import { createHttpClient } from '../testing/http-client.ts'
import { MachineClock } from '../testing/machine-clock.ts'
import { administrator, killLeftOvers, type SignedIn } from '../testing/workstation-process.ts'
import {
  contentsOf,
  type Machine,
  openSyncNetwork,
  statusOf,
  type SyncNetwork,
  until,
  untilCaughtUp,
  waitingAt,
} from './testing/sync-network.ts'

// The cable of a workstation is out for longer than people may sign in without the Hub. All machines have the same clock.

const minute = 60_000
const day = 24 * 60 * minute
const pin = '4711'
const badgeCode = 'ADA-0001'
const tooLong = {
  code: 'OFFLINE_TOO_LONG',
  status: 401,
  message: 'This workstation has not reached its Hub for too long: connect it, then sign in',
}

const clock = new MachineClock()
let network: SyncNetwork
let bench: Machine
let leaseEnds: number
/** Signed in before the lease ends, and still there when it does. */
let atWork: SignedIn

beforeAll(async () => {
  network = await openSyncNetwork({ ofAll: clock.environment })
  await network.found()
  bench = await network.join()
  const people = (await network.hub.admin()).client(auth)
  const { user } = await people.me()
  await people.updateUser({ id: user.id, revision: user.revision, badgeCode })
  await untilCaughtUp(bench)
}, 240_000)
afterAll(async () => {
  await network.close()
  await killLeftOvers()
  clock.remove()
}, 60_000)

/** Lets everybody see what time it is. */
async function goTo(instant: number): Promise<void> {
  clock.goTo(instant)
  await delay(200)
}

function signIn(password: string = administrator.password) {
  return createHttpClient(bench.url, auth, null).login({ email: administrator.email, password })
}

async function receive(person: SignedIn, name: string): Promise<void> {
  await person.client(samples).receive({ sample: { name, type: 'DNA' }, containerKind: 'tube' })
}

it('people sign in without the Hub for fourteen days, to the end', async () => {
  const { offlineUntil } = await statusOf(bench)
  leaseEnds = Date.parse(offlineUntil ?? '')
  expect(Math.abs(leaseEnds - clock.now - 14 * day)).toBeLessThan(10 * minute)
  await receive(await bench.admin(), 'With the Hub')
  await untilCaughtUp(bench)
  network.proxy.leadTo(null)
  const { offlineUntil: last } = await statusOf(bench)
  leaseEnds = Date.parse(last ?? '')
  await goTo(leaseEnds - 5 * minute)
  await bench.signInAs(administrator)
  atWork = await bench.admin()
  await receive(atWork, 'Near the end')
  await atWork.client(auth).setPin({ password: administrator.password, pin })
  expect((await statusOf(bench)).state).toBe('offline')
}, 120_000)

it('afterwards nobody does, and is told why and what to do', async () => {
  await goTo(leaseEnds + minute)
  await expect(signIn()).rejects.toMatchObject(tooLong)
  await expect(signIn('not the right one')).rejects.toMatchObject({ code: 'WRONG_CREDENTIALS' })
  // Switched off and on again it is the same.
  await bench.stop()
  await bench.start()
  await expect(signIn()).rejects.toMatchObject(tooLong)
  atWork = sessionAt(bench, atWork.token)
}, 120_000)

it('who was signed in goes on until the session ends, unlocks it by PIN, and not by password', async () => {
  await receive(atWork, 'After the end')
  const people = atWork.client(auth)
  await people.lock({})
  await expect(atWork.client(samples).list({ limit: 1 })).rejects.toMatchObject({ code: 'SESSION_LOCKED' })
  const { token: accessToken } = atWork
  const unlock = createHttpClient(bench.url, auth, null).unlock
  await expect(unlock({ accessToken, password: administrator.password })).rejects.toMatchObject(tooLong)
  await unlock({ accessToken, badgeCode, pin })
  await receive(atWork, 'Unlocked')
  expect((await people.me()).locked).toBe(false)
  await goTo(leaseEnds + 9 * 60 * minute)
  await expect(people.me()).rejects.toMatchObject({ status: 401 })
  await expect(signIn()).rejects.toMatchObject(tooLong)
}, 120_000)

it('what was made stays, goes to the Hub at the next contact, and people sign in again', async () => {
  network.proxy.leadTo(network.hub.url)
  const tokens = await until(() => signIn().catch(() => null))
  expect(tokens.me.user.email).toBe(administrator.email)
  await bench.signInAs(administrator)
  await network.hub.signInAs(administrator)
  await untilCaughtUp(bench)
  expect(await waitingAt(bench)).toBe(0)
  const atHub = await contentsOf(network.hub)
  expect(atHub.samples.map(({ name }) => name).toSorted()).toEqual(
    ['With the Hub', 'Near the end', 'After the end', 'Unlocked'].toSorted(),
  )
  expect(await contentsOf(bench)).toEqual(atHub)
  const { offlineUntil } = await statusOf(bench)
  expect(Math.abs(Date.parse(offlineUntil ?? '') - clock.now - 14 * day)).toBeLessThan(10 * minute)
}, 120_000)

/** Who was signed in before a restart, at the address that the machine has now. */
function sessionAt({ url }: Machine, token: string): SignedIn {
  return { url, token, client: (contract) => createHttpClient(url, contract, token) }
}
