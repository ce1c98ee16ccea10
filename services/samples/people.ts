import type { WriteScope } from '../../platform/service/scopes.ts'

/** Who did something, and when: what every row of a history says. */
export interface Occasion {
  readonly at: string
  readonly by: string
  readonly byId: string
}

/** The acting person, now. */
export function occasionOf(scope: Pick<WriteScope, 'actor' | 'now'>): Occasion {
  return { at: scope.now, by: scope.actor?.name ?? 'nobody', byId: scope.actor?.userId ?? 'nobody' }
}
