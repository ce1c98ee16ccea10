import { existsSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { samples } from '../services/samples/contract.ts'
import { storage } from '../services/storage/contract.ts'
import { demoSignIn } from './demo-laboratory.ts'
import {
  killLeftOvers,
  makeHome,
  signInTo,
  type SignedIn,
  startWorkstationProcess,
} from './testing/workstation-process.ts'

const program = resolve(import.meta.dirname, 'testing/demo-process.ts')
const filled = 'demo-laboratory-filled'
const allTubes = 181
const longestMs = 180_000

afterEach(killLeftOvers)

/** What the demo laboratory holds, as a person would see it. */
async function look(session: SignedIn) {
  const places = session.client(storage)
  const tree = await places.tree({})
  const used = tree.find(({ name }) => name === 'ONC-14 visit 3')
  const positions = used === undefined ? [] : (await places.boxMap({ boxId: used.id })).positions
  const inState = (state: string) =>
    positions.filter((position) => position.state === state).map(({ label }) => label)
  return {
    tubes: await countTubes(session),
    occupied: tree
      .filter(({ kind }) => kind === 'freezer')
      .reduce((sum, { capacity }) => sum + capacity.occupied, 0),
    places: tree.map(({ kind, name }) => `${kind} ${name}`).toSorted(),
    reserved: inState('reserved'),
    outOfUse: inState('out_of_use'),
    heldByMe: (await places.listContainers({ heldByMe: true })).items.length,
  }
}

async function countTubes(session: SignedIn): Promise<number> {
  const counts = await session.client(samples).counts()
  return counts.reduce((sum, { count }) => sum + count, 0)
}

async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + longestMs
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`It never came to this: ${what}`)
    await delay(100)
  }
}

test('a filling that is killed again and again ends filled once', { timeout: 400_000 }, async () => {
  const home = makeHome()
  // In the first box, and where the third one is used.
  for (const atLeast of [20, 154]) {
    const workstation = await startWorkstationProcess(home, { program })
    const session = await signInTo(workstation, demoSignIn)
    await until(`${atLeast} tubes are there`, async () => (await countTubes(session)) >= atLeast)
    await workstation.kill()
    expect(existsSync(join(home, filled))).toBe(false)
  }
  const workstation = await startWorkstationProcess(home, { program })
  await until('the laboratory is filled', () => existsSync(join(home, filled)))
  const once = await look(await signInTo(workstation, demoSignIn))
  expect(once).toEqual({
    tubes: allTubes,
    occupied: allTubes - 1,
    places: [
      'box DNA stock 12',
      'box ONC-14 visit 3',
      'box Plasma ONC-14',
      'box RNA tissue EX',
      'box Urine, day',
      'freezer F1',
      'freezer F2',
      'freezer R1',
      ...Array<string>(5).fill('rack Rack A'),
      ...[1, 2, 3, 4, 5].map((number) => `shelf Shelf ${number}`),
    ],
    reserved: ['C4', 'G1', 'G2', 'G3', 'G4'],
    outOfUse: ['I9'],
    heldByMe: 1,
  })

  // Killed between the last command and the mark.
  await workstation.kill()
  rmSync(join(home, filled))
  const again = await startWorkstationProcess(home, { program })
  await until('the mark is there again', () => existsSync(join(home, filled)))
  expect(await look(await signInTo(again, demoSignIn))).toEqual(once)
  await again.stop()
  rmSync(home, { recursive: true, force: true })
})
