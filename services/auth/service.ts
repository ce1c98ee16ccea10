import { defineService } from '../../platform/service/implementation.ts'
import { auth } from './contract.ts'
import { publicKeys, rotateSigningKey } from './key-set.ts'
import { addLaboratory, laboratories } from './new-laboratory.ts'
import {
  credentialsOf,
  keepOfflinePeople,
  laboratoryHere,
  peopleOf,
  takeCredentials,
} from './offline-people.ts'
import { open } from './opening.ts'
import { prove } from './proving-at-hub.ts'
import { changePassword, revokeSession, setPin } from './own-account.ts'
import { getUser, listRoles, listUsers, me, resolveSession, sessions, signIns, status } from './queries.ts'
import { updateRole } from './roles.ts'
import { authSyncRules } from './domain/sync-rules.ts'
import { authTables } from './schema.ts'
import { lock, login, logout, refresh, setUp, unlock } from './sign-in.ts'
import { createUser, resetPassword, setUserStatus, updateUser } from './users.ts'

export const authService = defineService({
  name: 'auth',
  contract: auth,
  tables: authTables,
  syncRules: authSyncRules,
  implementation: {
    status,
    setUp,
    login,
    refresh,
    logout,
    lock,
    unlock,
    me,
    changePassword,
    setPin,
    sessions,
    revokeSession,
    listUsers,
    getUser,
    createUser,
    updateUser,
    setUserStatus,
    resetPassword,
    listRoles,
    updateRole,
    signIns,
    publicKeys,
    rotateSigningKey,
    laboratories,
    addLaboratory,
    peopleOf,
    credentialsOf,
    takeCredentials,
    keepOfflinePeople,
    prove,
    laboratoryHere,
    resolveSession,
  },
  onOpen: open,
})
