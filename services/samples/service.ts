import { defineService } from '../../platform/service/implementation.ts'
import { accession, accessionBatch } from './accession.ts'
import { makeAliquots } from './aliquots.ts'
import { recordMovement } from './amounts.ts'
import { samples } from './contract.ts'
import { custody, recordCustody } from './custody.ts'
import { addNote, changeState, changeStateBatch, remove, update, updateBatch } from './edit.ts'
import { lineage, relate } from './lineage.ts'
import { counts, duplicates, facts, get, getMany, list, sagas } from './queries.ts'
import { receive, receiveBatch, receiveSaga } from './receive.ts'
import { samplesSyncRules } from './domain/sync-rules.ts'
import { land } from './landing.ts'
import { samplesTables } from './schema.ts'
import {
  shipOut,
  shippingCheck,
  shippingDigests,
  shippingOwners,
  shippingRecord,
  takeBack,
} from './shipping.ts'
import { samplesSubscriptions } from './subscriptions.ts'
import { timeline } from './timeline.ts'
import { addType, types } from './types.ts'
import { undoReceive, undoReceiveSaga } from './undo-receive.ts'

export const samplesService = defineService({
  name: 'samples',
  contract: samples,
  tables: samplesTables,
  syncRules: samplesSyncRules,
  implementation: {
    list,
    counts,
    get,
    getMany,
    facts,
    timeline,
    custody,
    lineage,
    duplicates,
    types,
    addType,
    accession,
    accessionBatch,
    receive,
    receiveBatch,
    undoReceive,
    sagas,
    update,
    updateBatch,
    changeState,
    changeStateBatch,
    recordMovement,
    addNote,
    relate,
    makeAliquots,
    recordCustody,
    remove,
    shippingCheck,
    shipOut,
    takeBack,
    shippingRecord,
    shippingDigests,
    shippingOwners,
    land,
  },
  subscriptions: samplesSubscriptions,
  sagas: [receiveSaga, undoReceiveSaga],
})
