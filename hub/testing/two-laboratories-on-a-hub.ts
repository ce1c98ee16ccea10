import { rmSync } from 'node:fs'
import type { ContractRouterClient } from '@orpc/contract'
import { createHttpClient } from '../../main/testing/http-client.ts'
import {
  killLeftOvers,
  makeHome,
  type SignedIn,
  signInTo,
  startWorkstationProcess,
  type WorkstationProcess,
} from '../../main/testing/workstation-process.ts'
import { hub as hubContract } from '../contract.ts'
import { openOperatorToken } from '../operator.ts'

/** A real Hub in a process of its own, and an administrator signed in to each of its two laboratories. */
export interface TwoLaboratories {
  readonly hub: WorkstationProcess
  readonly home: string
  readonly first: SignedIn
  /** Of Osprey Labs, which an operator added. */
  readonly second: SignedIn
  readonly operator: ContractRouterClient<typeof hubContract>
  close(): Promise<void>
}

/** Starts a Hub with two laboratories. `second` is who administers the second one. */
export async function openTwoLaboratories(second: {
  readonly email: string
  readonly password: string
}): Promise<TwoLaboratories> {
  const home = makeHome()
  const hub = await startWorkstationProcess(home, {
    program: new URL('../index.ts', import.meta.url).pathname,
    environment: { TRACSEQ_HUB_GUESSES_PER_MINUTE: '1000' },
  })
  const first = await signInTo(hub)
  const operator = createHttpClient(hub.url, hubContract, openOperatorToken(home))
  const administrator = { name: 'Grace Otieno', ...second }
  await operator.addLaboratory({ laboratoryName: 'Osprey Labs', administrator })
  return {
    ...{ hub, home, first, operator, second: await signInTo(hub, second) },
    async close() {
      await hub.stop()
      await killLeftOvers()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
