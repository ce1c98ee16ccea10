import type { ServiceDefinition } from '../platform/gateway/registry.ts'
import { auth, authEvents } from './auth/contract.ts'
import { barcodes, barcodesEvents } from './barcodes/contract.ts'
import { samples } from './samples/contract.ts'
import { storage, storageEvents } from './storage/contract.ts'
import { templates } from './templates/contract.ts'

/** The one list of services. A new domain is a folder beside these, a folder of migrations, and a line here. */
export const services: readonly ServiceDefinition[] = [
  { name: 'auth', contract: auth, workerUrl: new URL('./auth/auth.worker.ts', import.meta.url) },
  {
    name: 'barcodes',
    contract: barcodes,
    workerUrl: new URL('./barcodes/barcodes.worker.ts', import.meta.url),
  },
  {
    name: 'samples',
    contract: samples,
    workerUrl: new URL('./samples/samples.worker.ts', import.meta.url),
    subscriptions: namesOf(storageEvents, barcodesEvents),
  },
  { name: 'storage', contract: storage, workerUrl: new URL('./storage/storage.worker.ts', import.meta.url) },
  {
    name: 'templates',
    contract: templates,
    workerUrl: new URL('./templates/templates.worker.ts', import.meta.url),
    subscriptions: namesOf(authEvents),
  },
]

function namesOf(
  ...events: readonly Readonly<Record<string, { readonly name: string }>>[]
): readonly string[] {
  return events.flatMap((each) => Object.values(each).map(({ name }) => name))
}
