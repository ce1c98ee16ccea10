import { defineService } from '../../platform/service/implementation.ts'
import { applyImport, undoImport } from './apply-commands.ts'
import { templates } from './contract.ts'
import { abandonImport, correctCells, mapColumns, openImport } from './import-commands.ts'
import { findImportRow, getImport, importProblems, importRows, listImports } from './import-queries.ts'
import { saveRows, undoRows } from './saving.ts'
import { templatesSyncRules } from './domain/sync-rules.ts'
import { templatesTables } from './schema.ts'
import { templatesSubscriptions } from './subscriptions.ts'
import { changeState, createDraft, updateDraft } from './template-commands.ts'
import { get, list } from './template-queries.ts'

export const templatesService = defineService({
  name: 'templates',
  contract: templates,
  tables: templatesTables,
  syncRules: templatesSyncRules,
  implementation: {
    list,
    get,
    createDraft,
    updateDraft,
    changeState,
    openImport,
    listImports,
    getImport,
    importRows,
    importProblems,
    findImportRow,
    mapColumns,
    correctCells,
    applyImport,
    undoImport,
    abandonImport,
  },
  sagas: [saveRows, undoRows],
  subscriptions: templatesSubscriptions,
})
