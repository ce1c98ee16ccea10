import type { ContractRouterClient } from '@orpc/contract'
import type { JournalClient } from '../../platform/journal/journal-client.ts'
import type { barcodes } from '../../services/barcodes/contract.ts'
import type { samples } from '../../services/samples/contract.ts'
import type { storage } from '../../services/storage/contract.ts'
import type { Asker } from './shipment-store.ts'

/** The domains of one laboratory, for a person. */
export interface LaboratoryClient {
  readonly samples: ContractRouterClient<typeof samples>
  readonly storage: ContractRouterClient<typeof storage>
  readonly barcodes: ContractRouterClient<typeof barcodes>
}

/** What shipments need of the Hub around them. */
export interface Surroundings {
  /** The domains of a laboratory; null acts for nobody in particular. */
  readonly at: (laboratoryId: string, by: Asker | null) => LaboratoryClient
  readonly laboratories: () => Promise<readonly { readonly id: string; readonly name: string }[]>
  /** Ids that open work items of a laboratory are about, each with the item's words. */
  readonly openWork: (laboratoryId: string, ids: readonly string[]) => Promise<readonly OpenWork[]>
  /** Opens a work item for what contradicts something else in a laboratory since its last samples arrived. */
  readonly openContested: (laboratoryId: string) => Promise<void>
  /** What is written in any laboratory. */
  readonly journal: Pick<JournalClient, 'domainHead' | 'readDomain'>
  readonly log: (words: string, fields: Readonly<Record<string, unknown>>) => void
}

/** A work item that nobody has decided. */
export interface OpenWork {
  readonly words: string
  /** Whether it is about a row with this id. */
  readonly isAbout: (id: string) => boolean
}
