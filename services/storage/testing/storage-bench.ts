import { openServiceBench, type ServiceBench } from '../../../platform/service/testing/service-bench.ts'
import { barcodesService } from '../../barcodes/service.ts'
import type { Container, StorageNode } from '../contract.ts'
import { storageService } from '../service.ts'

/** Storage and barcodes on real databases, with shorthands for what every test needs. */
export interface StorageBench {
  readonly bench: ServiceBench
  readonly storage: ReturnType<typeof storageOf>
  readonly barcodes: ReturnType<typeof barcodesOf>
  makeFreezer(zone?: StorageNode['zone']): Promise<StorageNode>
  makeBox(given?: {
    readonly freezerId?: string
    readonly zone?: StorageNode['zone']
    readonly rows?: number
    readonly columns?: number
  }): Promise<StorageNode>
  makeTube(material?: string | null): Promise<Container>
  /** A new tube at a position. */
  placeTube(boxId: string, position?: string, material?: string): Promise<Container>
}

export async function openStorageBench(): Promise<StorageBench> {
  const bench = await openServiceBench([barcodesService, storageService])
  const storage = storageOf(bench)
  let number = 0
  const makeFreezer: StorageBench['makeFreezer'] = (zone = 'minus_80') => {
    number += 1
    return storage.createNode({ kind: 'freezer', name: `F${number}`, zone })
  }
  const makeTube: StorageBench['makeTube'] = (material = 'DNA') => {
    number += 1
    return storage.createContainer({ label: `T-${number}`, material })
  }
  return {
    bench,
    storage,
    barcodes: barcodesOf(bench),
    makeFreezer,
    makeTube,
    async makeBox({ freezerId, zone, rows = 9, columns = 9 } = {}) {
      const parentId = freezerId ?? (await makeFreezer(zone ?? 'minus_80')).id
      number += 1
      return storage.createNode({ kind: 'box', parentId, name: `Box ${number}`, rows, columns })
    },
    async placeTube(boxId, position, material = 'DNA') {
      const tube = await makeTube(material)
      const target = position === undefined ? { boxId } : { boxId, position }
      return storage.place({ containerId: tube.id, target })
    },
  }
}

function storageOf(bench: ServiceBench) {
  return bench.client(storageService)
}

function barcodesOf(bench: ServiceBench) {
  return bench.client(barcodesService)
}
