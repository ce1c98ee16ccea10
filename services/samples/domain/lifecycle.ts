import { accept, type Decision, refuse } from './decision.ts'

/**
 * The life of a sample: from each state, the states that may come next. This one table drives the service, the
 * database's check constraint and the buttons on the screen. A state without successors is terminal; `deleted` is a
 * soft delete, the record stays.
 */
export const sampleLifecycle = {
  pending: ['validated', 'rejected', 'discarded', 'deleted'],
  validated: ['in_storage', 'in_sequencing', 'rejected', 'discarded', 'pending', 'deleted'],
  in_storage: ['in_sequencing', 'validated', 'rejected', 'discarded', 'deleted'],
  in_sequencing: ['completed', 'failed'],
  completed: ['archived', 'discarded'],
  failed: ['pending', 'discarded', 'archived'],
  rejected: ['pending', 'deleted'],
  discarded: ['archived'],
  archived: [],
  deleted: [],
} as const

export type SampleState = keyof typeof sampleLifecycle

/** All states in the order of the table. The keys are stable; the renderer translates them. */
export const sampleStates = [
  'pending',
  'validated',
  'in_storage',
  'in_sequencing',
  'completed',
  'failed',
  'rejected',
  'discarded',
  'archived',
  'deleted',
] as const satisfies readonly SampleState[]

/** The state of a sample that has just been accessioned. */
export const initialSampleState: SampleState = 'pending'

/** Steps that are refused without a reason: a record that is hidden must say why. Elsewhere a reason is welcome. */
export const statesThatNeedReason: readonly SampleState[] = ['deleted']

export interface TransitionFacts {
  /** Why, in the person's words; null when none was given. */
  readonly reason: string | null
}

export interface SampleTransition {
  readonly from: SampleState
  readonly to: SampleState
  readonly reason: string | null
}

export function isSampleState(text: string): text is SampleState {
  return Object.hasOwn(sampleLifecycle, text)
}

/** The states that may follow directly; empty for a terminal state. */
export function nextStates(from: SampleState): readonly SampleState[] {
  return sampleLifecycle[from]
}

export function isTerminal(state: SampleState): boolean {
  return nextStates(state).length === 0
}

/**
 * Decides one step of a sample's life. Refusals name the states that are possible instead. Staying in a state is
 * refused too (`sample_state_unchanged`), so that a caller who only follows events can tell it apart and go on.
 */
export function decideTransition(
  from: SampleState,
  to: SampleState,
  facts: TransitionFacts,
): Decision<SampleTransition> {
  const allowed = nextStates(from)
  if (from === to) {
    return refuse('sample_state_unchanged', `The sample is already ${words(to)}.`, allowed)
  }
  if (!allowed.includes(to)) {
    return refuse('sample_transition_not_allowed', explainForbidden(from, to), allowed)
  }
  const reason = facts.reason?.trim() ?? ''
  if (reason === '' && statesThatNeedReason.includes(to)) {
    return refuse(
      'sample_reason_required',
      `Say why the sample becomes ${words(to)}: this step needs a reason.`,
    )
  }
  return accept({ from, to, reason: reason === '' ? null : reason })
}

function explainForbidden(from: SampleState, to: SampleState): string {
  if (isTerminal(from))
    return `The sample is ${words(from)}; that is final, so it cannot become ${words(to)}.`
  const rule =
    from === 'in_sequencing' && to === 'deleted'
      ? 'A sample in sequencing is never deleted.'
      : `A sample that is ${words(from)} cannot become ${words(to)}.`
  return `${rule} Next it can be ${listWords(nextStates(from))}.`
}

function words(state: SampleState): string {
  return state.replaceAll('_', ' ')
}

function listWords(states: readonly SampleState[]): string {
  const names = states.map(words)
  const last = names.at(-1) ?? ''
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} or ${last}`
}
