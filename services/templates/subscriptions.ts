import { on } from '../../platform/service/implementation.ts'
import { authEvents } from '../auth/contract.ts'
import { publishBuiltIn } from './template-records.ts'

/** A laboratory that was just set up finds the form that comes with TracSeq. */
export const templatesSubscriptions = [
  on(authEvents.LaboratorySetUp, 'origin', (scope) => publishBuiltIn(scope)),
]
