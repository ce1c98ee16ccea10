import { v7 as uuidv7 } from 'uuid'
import type { z } from 'zod'
import type { ServiceDefinition } from '../../../platform/service/implementation.ts'
import { openServiceBench, type ServiceBench } from '../../../platform/service/testing/service-bench.ts'
import { barcodesService } from '../../barcodes/service.ts'
import { storageService } from '../../storage/service.ts'
import type { ReceiveRequest, SampleFields } from '../contract.ts'
import { samplesService } from '../service.ts'

/** The three services that Receive spans, with a freezer to put tubes into. */
export interface SamplesBench {
  readonly bench: ServiceBench
  readonly samples: ReturnType<typeof clientOfSamples>
  readonly storage: ReturnType<typeof clientOfStorage>
  readonly barcodes: ReturnType<typeof clientOfBarcodes>
  /** A new box in the −80 °C freezer; its id. */
  addBox(rows: number, columns: number): Promise<string>
  /** Waits until no saga is under way. */
  finishSagas(): Promise<void>
}

/** Opens the services, or stand-ins made of them by `alter`. */
export async function openSamplesBench(
  alter: (definition: ServiceDefinition) => ServiceDefinition = (definition) => definition,
): Promise<SamplesBench> {
  const definitions = [barcodesService, storageService, samplesService] as unknown as ServiceDefinition[]
  const bench = await openServiceBench(definitions.map(alter))
  const storage = clientOfStorage(bench)
  const freezer = await storage.createNode({ kind: 'freezer', name: 'F1', zone: 'minus_80' })
  return {
    bench,
    samples: clientOfSamples(bench),
    storage,
    barcodes: clientOfBarcodes(bench),
    async addBox(rows, columns) {
      const name = `Box ${uuidv7()}`
      const box = await storage.createNode({ kind: 'box', parentId: freezer.id, name, rows, columns })
      return box.id
    },
    async finishSagas() {
      for (let tries = 0; tries < 200; tries += 1) {
        if ((await clientOfSamples(bench).sagas({ open: true })).length === 0) return bench.settle()
        await new Promise((resolve) => setTimeout(resolve, 25))
      }
      throw new Error('Some sagas do not come to an end')
    },
  }
}

/** What is written of a tube of blood, with what a test wants to be different. */
export function blood(fields: Partial<z.input<typeof SampleFields>> = {}): z.input<typeof SampleFields> {
  return { name: `S-${uuidv7().slice(-8)}`, type: 'Blood', ...fields }
}

export function tubeOf(
  fields: Partial<z.input<typeof SampleFields>>,
  request: Omit<z.input<typeof ReceiveRequest>, 'sample'> = {},
): z.input<typeof ReceiveRequest> {
  return { sample: blood(fields), ...request }
}

function clientOfSamples(bench: ServiceBench) {
  return bench.client(samplesService)
}

function clientOfStorage(bench: ServiceBench) {
  return bench.client(storageService)
}

function clientOfBarcodes(bench: ServiceBench) {
  return bench.client(barcodesService)
}
