import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Actor } from '../platform/contract/envelope.ts'
import type { Gateway } from '../platform/gateway/gateway.ts'
import type { auth } from '../services/auth/contract.ts'
import type { samples } from '../services/samples/contract.ts'
import type { NodeId as NodeIdSchema, storage } from '../services/storage/contract.ts'
import type { z } from 'zod'
import { createHostClient, repeatUntilKnown } from './host-client.ts'

/** How to sign in to the demo laboratory. It is no secret: the sign-in page shows it. */
export const demoSignIn = { email: 'demo@tracseq.example', password: 'a laboratory to play in' } as const

type NodeId = z.infer<typeof NodeIdSchema>

interface DemoHost {
  readonly gateway: Gateway
  readonly home: string
  readonly actorOf: (accessToken: string) => Promise<Actor>
}

const donors = ['P-0198', 'P-0205', 'P-0211', 'P-0217', 'P-0224', 'P-0230'] as const
const boxes = [
  { freezer: 'F1', name: 'Plasma ONC-14', zone: 'minus_80', rows: 10, columns: 10, holds: { plasma: 61 } },
  { freezer: 'F1', name: 'DNA stock 12', zone: 'minus_80', rows: 9, columns: 9, holds: { dna: 44 } },
  {
    freezer: 'F1',
    name: 'ONC-14 visit 3',
    zone: 'minus_80',
    rows: 9,
    columns: 9,
    holds: { plasma: 15, serum: 11, dna: 14, rna: 9 },
  },
  { freezer: 'F2', name: 'RNA tissue EX', zone: 'minus_80', rows: 10, columns: 10, holds: { rna: 18 } },
  { freezer: 'R1', name: 'Urine, day', zone: 'plus_4', rows: 8, columns: 12, holds: { urine: 9 } },
] as const

/** Makes the demo laboratory with its one person; nothing happens when it is there. */
export async function setUpDemoLaboratory(gateway: Gateway): Promise<void> {
  const people = createHostClient<typeof auth>(gateway, 'auth', null)
  if ((await people.status()).setUp) return
  await people.setUp({
    laboratoryName: 'Demo laboratory',
    administrator: { name: 'Robin Demo', ...demoSignIn },
  })
}

/**
 * Fills the demo laboratory with freezers, boxes and tubes, by the same commands as in a real one. Every call has a
 * fixed key, so one whose outcome is not known is repeated, and an interrupted filling is finished at the next start; a
 * mark in the home says that it is done.
 */
export async function fillDemoLaboratory({ gateway, home, actorOf }: DemoHost): Promise<void> {
  const mark = join(home, 'demo-laboratory-filled')
  if (existsSync(mark)) return
  const people = createHostClient<typeof auth>(gateway, 'auth', null)
  // Without a key, since no token is kept to be answered again: a try whose outcome is unknown leaves a session unused.
  const { accessToken } = await repeatUntilKnown(() => people.login(demoSignIn))
  const actor = await actorOf(accessToken)
  const places = createHostClient<typeof storage>(gateway, 'storage', actor)
  const tubes = createHostClient<typeof samples>(gateway, 'samples', actor)

  for (const [boxNumber, box] of boxes.entries()) {
    const key = (words: string) => ({ context: { key: `demo/${box.name}/${words}` } })
    const freezerKey = { context: { key: `demo/freezer/${box.freezer}` } }
    const freezer = await repeatUntilKnown(() =>
      places.createNode({ kind: 'freezer', name: box.freezer, zone: box.zone }, freezerKey),
    )
    const shelf = await repeatUntilKnown(() =>
      places.createNode(
        { kind: 'shelf', parentId: freezer.id, name: `Shelf ${boxNumber + 1}` },
        key('shelf'),
      ),
    )
    const rack = await repeatUntilKnown(() =>
      places.createNode({ kind: 'rack', parentId: shelf.id, name: 'Rack A' }, key('rack')),
    )
    const { rows, columns } = box
    const made = await repeatUntilKnown(() =>
      places.createNode({ kind: 'box', parentId: rack.id, name: box.name, rows, columns }, key('box')),
    )
    const types = Object.entries(box.holds).flatMap(([type, count]) => Array<string>(count).fill(type))
    await repeatUntilKnown(() =>
      tubes.receiveBatch(
        {
          rows: types.map((type, index) => ({
            sample: {
              name: `${donorOf(index)} ${type} ${index + 1}`,
              type,
              donor: donorOf(index),
              project: 'ONC-14',
              clientId: `C3-${String(boxNumber * 100 + index + 1).padStart(5, '0')}`,
              collectedOn: `2026-11-${String(1 + (index % 19)).padStart(2, '0')}`,
              volumeUl: String(480 - (index % 7) * 15),
            },
            placement: { boxId: made.id },
          })),
        },
        key('tubes'),
      ),
    )
    if (box.name === 'ONC-14 visit 3') await useBox(places, made.id)
  }
  writeFileSync(mark, '')
}

/**
 * A box somebody works with: one tube is out, positions are kept for a run, and one is broken. What the box shows to be
 * done already is left as it is, since a later day would reserve until another one.
 */
async function useBox(
  places: ReturnType<typeof createHostClient<typeof storage>>,
  boxId: NodeId,
): Promise<void> {
  const { positions } = await repeatUntilKnown(() => places.boxMap({ boxId }))
  const key = (words: string) => ({ context: { key: `demo/use/${words}` } })
  const isFree = (label: string) => positions.find((each) => each.label === label)?.state === 'available'
  const forRun = ['G1', 'G2', 'G3', 'G4'].filter(isFree)
  if (forRun.length > 0) {
    const lastDay = new Date(Date.now() + 14 * 86_400_000).toISOString().slice(0, 10)
    const until = `${lastDay}T23:59:59.000Z`
    await repeatUntilKnown(() =>
      places.reserve({ boxId, positions: forRun, until, reservedFor: 'Run 2612' }, key(`reserve/${lastDay}`)),
    )
  }
  if (isFree('I9')) {
    const broken = { boxId, positions: ['I9'], outOfUse: true, reason: 'The divider is broken' }
    await repeatUntilKnown(() => places.setOutOfUse(broken, key('out-of-use')))
  }
  const out = positions.find(({ label, state }) => label === 'C4' && state === 'occupied')?.container
  if (out != null)
    await repeatUntilKnown(() =>
      places.checkOut({ containerId: out.id, purpose: 'Extraction' }, key('check-out')),
    )
}

function donorOf(index: number): string {
  return donors[index % donors.length] ?? donors[0]
}
