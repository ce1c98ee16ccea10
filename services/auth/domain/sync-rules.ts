import { type DomainRules, sagaRules } from '../../../platform/sync/rules.ts'

/** People and what they may do are the Hub's alone; who signed in where is added to. */
export const authSyncRules: DomainRules = {
  ...sagaRules,
  laboratory: { policy: 'hub-only' },
  app_user: { policy: 'hub-only' },
  role: { policy: 'hub-only' },
  sign_in: { policy: 'append-only' },
}
