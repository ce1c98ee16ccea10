import { orchestrates, reads } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, ReadScope } from '../../platform/service/scopes.ts'
import { readKeySet, rotateSigningKey as rotate } from './signing-keys.ts'

export const publicKeys = reads((scope: ReadScope) => readKeySet(scope.home, scope.now))

export const rotateSigningKey = orchestrates(async (scope: OrchestrationScope) => {
  const { id } = await rotate(scope)
  return { kid: id }
})
