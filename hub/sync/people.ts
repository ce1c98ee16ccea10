import type { z } from 'zod'
import type { Gateway } from '../../platform/gateway/gateway.ts'
import { type PeopleAnswer, ProofOutcome, type ProofRequest } from '../../platform/sync/wire.ts'
import { CredentialsAnswer, LaboratoryStatus, PeopleOfAnswer } from '../../services/auth/contract.ts'
import { SyncProblem } from './sync-problem.ts'
import type { SyncStore, Workstation } from './sync-store.ts'

type Person = z.output<typeof PeopleOfAnswer>['people'][number]

/** How long people may sign in at a workstation that does not reach the Hub. */
const leaseMs = 14 * 24 * 60 * 60_000

/** What workstations are told of a laboratory's people, and what the Hub asks about them. */
export class People {
  readonly #gateway: Gateway
  readonly #store: Pick<SyncStore, 'workstationsOf'>

  constructor(gateway: Gateway, store: Pick<SyncStore, 'workstationsOf'>) {
    this.#gateway = gateway
    this.#store = store
  }

  /** Who may sign in without the Hub, administrators only where that was chosen; and which workstations there are. */
  async of({ laboratoryId, administratorsOffline }: Workstation): Promise<z.output<typeof PeopleAnswer>> {
    const input = { laboratoryId, administrators: administratorsOffline }
    const { credentials } = CredentialsAnswer.parse(await this.#ask('credentialsOf', input))
    const known = await this.#store.workstationsOf(laboratoryId)
    return { credentials, leaseMs, workstations: known.map(({ id, name }) => ({ id, name })) }
  }

  /** Whether somebody at a workstation is who they say. */
  async prove(
    { laboratoryId }: Workstation,
    proof: z.output<typeof ProofRequest>,
  ): Promise<z.output<typeof ProofOutcome>> {
    return ProofOutcome.parse(await this.#ask('prove', { laboratoryId, ...proof }))
  }

  /** The person as the Hub knows them, who may do it. */
  async requirePermission(laboratoryId: string, userId: string, permission: string): Promise<Person> {
    const input = { laboratoryId, userIds: [userId] }
    const { people } = PeopleOfAnswer.parse(await this.#ask('peopleOf', input))
    const [person] = people
    if (person?.status === 'active' && person.permissions.includes(permission)) return person
    throw new SyncProblem(403, 'FORBIDDEN', `This needs the permission ${permission} at the Hub`, {
      permission,
    })
  }

  async isKnown(laboratoryId: string): Promise<boolean> {
    const answer = await this.#ask('peopleOf', { laboratoryId, userIds: [] })
    return PeopleOfAnswer.parse(answer).known
  }

  /** Whether the Hub has any laboratory. */
  async isSetUp(): Promise<boolean> {
    return LaboratoryStatus.parse(await this.#ask('status', undefined)).setUp
  }

  #ask(procedure: string, input: object | undefined): Promise<unknown> {
    return this.#gateway.call({ path: ['auth', procedure], input, origin: { from: 'host', actor: null } })
  }
}
