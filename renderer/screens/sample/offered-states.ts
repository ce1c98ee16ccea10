import { nextStates, SampleState } from '../../../services/samples/contract.ts'

const offered = SampleState.exclude(['deleted'])
export type OfferedState = ReturnType<typeof offered.parse>

/** The states that at least one of these samples may go on to; deleting is an act of its own. */
export function offeredStates(samples: readonly { readonly state: SampleState }[]): readonly OfferedState[] {
  return offered.options.filter((to) => samples.some(({ state }) => nextStates(state).includes(to)))
}
