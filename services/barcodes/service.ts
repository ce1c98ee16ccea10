import { defineService } from '../../platform/service/implementation.ts'
import { allocate, allocateFor, ensureWorkstationPart, link, unlink } from './commands.ts'
import { barcodes } from './contract.ts'
import { codesOf, codesOfMany, list, resolve, resolveMany, statistics, validate } from './queries.ts'
import { land, shippingCheck, shippingRecord } from './shipping.ts'
import { barcodesSyncRules } from './domain/sync-rules.ts'
import { barcodesTables } from './schema.ts'

export const barcodesService = defineService({
  name: 'barcodes',
  contract: barcodes,
  tables: barcodesTables,
  syncRules: barcodesSyncRules,
  implementation: {
    resolve,
    resolveMany,
    codesOf,
    codesOfMany,
    list,
    allocate,
    link,
    allocateFor,
    unlink,
    validate,
    statistics,
    shippingCheck,
    shippingRecord,
    land,
  },
  onOpen: ensureWorkstationPart,
})
