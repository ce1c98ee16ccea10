import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { addTestDatabase } from '../../../platform/database/testing/test-database.ts'
import { openWorkstationKey } from '../../../platform/journal/workstation-key.ts'
import type { WireEntry } from '../../../platform/sync/domain-contract.ts'
import type { RoleName } from '../../../services/auth/domain/roles.ts'
import { createLaboratory } from '../../../services/auth/laboratory.ts'
import { type HubLog, startHubLog } from '../../log/hub-log.ts'
import { type HubSync, openHubSync } from '../hub-sync.ts'
import { laboratoryServices, type Machine, openMachine } from './laboratory-machine.ts'

/** The Hub without its front doors: its services, its log and its side of sync, all on PostgreSQL. */
export interface HubMachine {
  readonly machine: Machine
  readonly laboratoryId: string
  /** Its side of sync; a restart opens it anew. */
  readonly sync: HubSync
  /** What the log complained of. */
  readonly said: readonly string[]
  /** Adds a person to the laboratory, and answers with the id. */
  addPerson(name: string, role: RoleName): Promise<string>
  /** What the laboratory's log has after a position, at most so many entries. */
  entriesAfter(position: number, atMost: number): Promise<readonly WireEntry[]>
  restart(options?: { readonly losing?: readonly string[] }): Promise<void>
  close(): Promise<void>
}

const bytesAtOnce = 4 * 1024 * 1024

/** Opens a Hub with one laboratory, in which there are its roles and nobody yet. */
export async function openHubMachine(laboratoryId: string): Promise<HubMachine> {
  const said: string[] = []
  const logs: HubLog[] = []
  const machine = await openMachine('hub', {
    ...{ laboratoryId, isHub: true, engine: 'of-run' },
    async openJournal(home) {
      const url = await addTestDatabase(join(home, 'log'))
      const log = await startHubLog({ url, key: openWorkstationKey(home), log: (words) => said.push(words) })
      logs.push(log)
      return log
    },
  })
  const { bench } = machine
  await found()
  let sync = await openSync()

  /** As at a start of the Hub: nothing of what it had in memory is left. */
  async function openSync(): Promise<HubSync> {
    const { home, gateway } = bench
    const hubLog = logs.at(-1)
    if (hubLog === undefined) throw new Error('The Hub has opened its log')
    return openHubSync({
      ...{ home, gateway, hubLog, key: openWorkstationKey(home) },
      url: await addTestDatabase(join(home, 'sync')),
      domains: laboratoryServices.map(({ name }) => name),
    })
  }

  /** The laboratory with its roles: people and roles are made here and nowhere else. */
  async function found(): Promise<void> {
    await bench.database('auth').change(
      {
        ...{ laboratoryId, actorId: bench.actor.userId, origin: 'local', workstationId: machine.id },
        ...{ hybridLogicalTime: '', reason: null, correlationId: uuidv7(), procedure: 'auth.setUp' },
        ...{ idempotencyKey: null, requestHash: '', secretAnswer: true, deadlineAt: Date.now() + 10_000 },
        ...{ reaction: null, causedBy: null },
      },
      (scope) =>
        createLaboratory(
          { ...scope, actor: null, laboratoryId, workstation: { id: machine.id, name: 'Hub' } },
          'Heron',
        ),
    )
  }

  return {
    ...{ machine, laboratoryId, said },
    get sync() {
      return sync
    },
    async addPerson(name, role) {
      const email = `${uuidv7()}@example.org`
      const password = 'sturdy lantern heron'
      return (await machine.auth.createUser({ name, email, password, roles: [role] })).id
    },
    async entriesAfter(position, atMost) {
      const most = { entries: atMost, bytes: bytesAtOnce }
      const entries = await sync.reader.laboratoryEntries(laboratoryId, position, most)
      return entries.map(({ payload, ...entry }) => ({ ...entry, payload: payload ?? '' }))
    },
    async restart(options) {
      await sync.close()
      await bench.restart(options)
      sync = await openSync()
      const { decisions } = sync
      // Whatever settled something just before a stop could not go on with what waited for it.
      await decisions.inTurn(laboratoryId, () => decisions.decideWaiting(laboratoryId))
    },
    async close() {
      await sync.close()
      await bench.close()
    },
  }
}
