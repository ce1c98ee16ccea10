import { defineService } from '../../platform/service/implementation.ts'
import { capacityCheck } from './capacity-check.ts'
import { createContainer, removeContainer, updateContainer } from './container-commands.ts'
import { containersOfSamples, getContainer, history, listContainers, locate } from './container-queries.ts'
import { storage } from './contract.ts'
import { addNodeSaga, createNode, removeNode, updateNode } from './node-commands.ts'
import { boxMap, findSpace, getNode, nodeHistory, tree, zones } from './node-queries.ts'
import { checkOut, dispose, move, moveMany, place, returnToPlace, takeOut } from './place-commands.ts'
import { cancelReservation, reserve, setOutOfUse } from './position-commands.ts'
import { applyRackScan, readRackScan } from './rack.ts'
import { comeBack, land, leave, shippingCheck, shippingRecord } from './shipping.ts'
import { storageSyncRules } from './domain/sync-rules.ts'
import { storageTables } from './schema.ts'

export const storageService = defineService({
  name: 'storage',
  contract: storage,
  tables: storageTables,
  syncRules: storageSyncRules,
  implementation: {
    zones,
    tree,
    getNode,
    createNode,
    updateNode,
    removeNode,
    nodeHistory,
    boxMap,
    findSpace,
    listContainers,
    getContainer,
    containersOfSamples,
    locate,
    createContainer,
    updateContainer,
    removeContainer,
    place,
    move,
    moveMany,
    takeOut,
    checkOut,
    returnToPlace,
    dispose,
    reserve,
    cancelReservation,
    setOutOfUse,
    history,
    readRackScan,
    applyRackScan,
    capacityCheck,
    shippingCheck,
    leave,
    comeBack,
    shippingRecord,
    land,
  },
  sagas: [addNodeSaga],
})
