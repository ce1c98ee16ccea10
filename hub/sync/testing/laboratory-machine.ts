import { MachineStop } from '../../../platform/database/testing/machine-stop.ts'
import type { ServiceDefinition } from '../../../platform/service/implementation.ts'
import { openServiceBench, type ServiceBench } from '../../../platform/service/testing/service-bench.ts'
import { allPermissions } from '../../../services/auth/domain/roles.ts'
import { authService } from '../../../services/auth/service.ts'
import { barcodesService } from '../../../services/barcodes/service.ts'
import { samplesService } from '../../../services/samples/service.ts'
import { storageService } from '../../../services/storage/service.ts'
import { templatesService } from '../../../services/templates/service.ts'

/** The services of a laboratory, at the Hub and at workstations. */
export const laboratoryServices = [
  authService,
  barcodesService,
  storageService,
  samplesService,
  templatesService,
] as unknown as readonly ServiceDefinition[]

/** A workstation or the Hub: real services on real databases. */
export interface Machine {
  readonly id: string
  readonly bench: ServiceBench
  /** Stops the machine in the middle of what it does; a restart mends it. */
  readonly stop: MachineStop
  /** How far its clock runs ahead of the true time, or behind it. */
  readonly clock: { aheadMs: number }
  readonly auth: ReturnType<typeof clientsOf>['auth']
  readonly barcodes: ReturnType<typeof clientsOf>['barcodes']
  readonly samples: ReturnType<typeof clientsOf>['samples']
  readonly storage: ReturnType<typeof clientsOf>['storage']
  readonly templates: ReturnType<typeof clientsOf>['templates']
}

/** Opens a machine. Whoever works there may do everything there; what counts is what the Hub says to it. */
export async function openMachine(
  id: string,
  options: Pick<
    NonNullable<Parameters<typeof openServiceBench>[1]>,
    'laboratoryId' | 'userId' | 'isHub' | 'engine' | 'openJournal'
  >,
): Promise<Machine> {
  const stop = new MachineStop()
  const clock = { aheadMs: 0 }
  const bench = await openServiceBench(laboratoryServices, {
    ...options,
    ...{ stop, workstationId: id, permissions: allPermissions },
    wallClock: () => Date.now() + clock.aheadMs,
  })
  return { id, bench, stop, clock, ...clientsOf(bench) }
}

function clientsOf(bench: ServiceBench) {
  return {
    auth: bench.client(authService),
    barcodes: bench.client(barcodesService),
    samples: bench.client(samplesService),
    storage: bench.client(storageService),
    templates: bench.client(templatesService),
  }
}
