import { createORPCClient } from '@orpc/client'
import type { AnyContractRouter, ContractRouterClient } from '@orpc/contract'
import { startWorkstationHere, type WorkstationHere } from '../main/testing/workstation-here.ts'
import type { Actor } from '../platform/contract/envelope.ts'
import type { barcodes } from '../services/barcodes/contract.ts'
import type { samples } from '../services/samples/contract.ts'
import type { storage } from '../services/storage/contract.ts'

/** A whole workstation in this process, its five domains awake in their workers, and a person signed in. */
export interface Laboratory {
  readonly here: WorkstationHere
  readonly actor: Actor
  readonly token: string
  readonly barcodes: ContractRouterClient<typeof barcodes>
  readonly samples: ContractRouterClient<typeof samples>
  readonly storage: ContractRouterClient<typeof storage>
  close(): Promise<void>
}

/** Opens a new laboratory on a home of its own, which goes when it is closed. */
export async function openLaboratory(): Promise<Laboratory> {
  const here = await startWorkstationHere()
  try {
    await here.wakeAll()
    const token = await here.signIn()
    return {
      here,
      token,
      actor: await here.workstation.actorOf(token),
      barcodes: createClient<typeof barcodes>(here, 'barcodes', token),
      samples: createClient<typeof samples>(here, 'samples', token),
      storage: createClient<typeof storage>(here, 'storage', token),
      close: () => here.close(),
    }
  } catch (error) {
    await here.close()
    throw error
  }
}

/** A box in a freezer, to put tubes into. */
export async function addBox(laboratory: Laboratory, name: string, rows = 20, columns = 25): Promise<string> {
  const { storage: places } = laboratory
  const freezer = await places.createNode({ kind: 'freezer', name: `Freezer of ${name}`, zone: 'minus_80' })
  const box = await places.createNode({ kind: 'box', parentId: freezer.id, name, rows, columns })
  return box.id
}

/** Through all gates, as a window or program calls. */
function createClient<Contract extends AnyContractRouter>(
  here: WorkstationHere,
  name: string,
  token: string,
): ContractRouterClient<Contract> {
  const client: unknown = createORPCClient({
    call: (path, input) => here.call([name, ...path].join('.'), input, { token }),
  })
  return client as ContractRouterClient<Contract>
}
