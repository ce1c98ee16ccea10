import { rmSync } from 'node:fs'
import { insist } from '../main/testing/ledger.ts'
import {
  makeHome,
  type SignedIn,
  signInTo,
  startWorkstationProcess,
} from '../main/testing/workstation-process.ts'
import { samples } from '../services/samples/contract.ts'
import { storage } from '../services/storage/contract.ts'
import { templates } from '../services/templates/contract.ts'

/** The home of a laboratory that has worked, closed: all five databases are there, and some tubes in a box. */
export interface PreparedHome {
  readonly path: string
  /** What is printed on the tubes. */
  readonly codes: readonly string[]
  remove(): void
}

/** Makes a home by the workstation without windows, which gives it its first administrator. */
export async function prepareHome(tubes: number): Promise<PreparedHome> {
  const path = makeHome()
  const workstation = await startWorkstationProcess(path)
  try {
    const person = await signInTo(workstation)
    // On a busy machine a service may start too slowly for its first call; the same key goes on where it stopped.
    const create = (node: Parameters<ReturnType<typeof placesOf>['createNode']>[0]) =>
      insist(() => placesOf(person).createNode(node, { context: { key: node.name } }))
    const freezer = await create({ kind: 'freezer', name: 'F1', zone: 'minus_80' })
    const box = await create({ kind: 'box', parentId: freezer.id, name: 'B1', rows: 10, columns: 12 })
    const received = await insist(() =>
      person.client(samples).receiveBatch(
        {
          rows: Array.from({ length: tubes }, (_, index) => ({
            sample: { name: `Tube ${index}`, type: 'dna' },
            placement: { boxId: box.id },
          })),
        },
        { context: { key: 'tubes' } },
      ),
    )
    await insist(() => person.client(templates).list({}))
    return {
      path,
      codes: received.flatMap((each) => (each.ok ? [each.value.code] : [])),
      remove: () => rmSync(path, { recursive: true, force: true }),
    }
  } finally {
    await workstation.stop()
  }
}

function placesOf(person: SignedIn) {
  return person.client(storage)
}
