import { createPrivateKey, type KeyObject } from 'node:crypto'
import { sql } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import type { Actor } from '../../../platform/contract/envelope.ts'
import { rowsOf } from '../../../platform/database/transaction.ts'
import { createDomainKeys } from '../../../platform/gateway/domain-keys.ts'
import { openLog } from '../../../platform/gateway/log.ts'
import { createFileStore, secretsFolder } from '../../../platform/journal/secret-store.ts'
import { openServiceBench, type ServiceBench } from '../../../platform/service/testing/service-bench.ts'
import { allPermissions, type RoleName } from '../domain/roles.ts'
import { addPerson, createLaboratory } from '../laboratory.ts'
import { createSeal } from '../seal.ts'
import { hashSecret } from '../secrets.ts'
import { authService } from '../service.ts'

export const administrator = {
  name: 'Ada Okafor',
  email: 'Ada.Okafor@example.org',
  password: 'seven quiet herons',
}

export type AuthBench = Awaited<ReturnType<typeof openAuthBench>>

/** A bench with the auth service and a laboratory that was just set up. */
export async function openAuthBench() {
  const bench = await openServiceBench([authService], { permissions: allPermissions })
  const auth = bench.client(authService)
  const first = await auth.setUp({ laboratoryName: 'Heron Genomics', administrator })

  /** Signs in and answers with the tokens and what the gateway makes of them. */
  async function signIn(email: string, password: string) {
    const tokens = await auth.login({ email, password })
    return { ...tokens, actor: await actorOf(bench, tokens.accessToken) }
  }
  const admin = await actorOf(bench, first.accessToken)

  /** Adds a person to the laboratory and signs in as that person. */
  async function addUser(roles: readonly RoleName[], badgeCode: string | null = null) {
    const mark = uuidv7().slice(-8)
    const password = `sturdy lantern ${mark}`
    const user = await auth.createUser(
      { name: `Person ${mark}`, email: `${mark}@example.org`, password, roles: [...roles], badgeCode },
      { context: { actor: admin } },
    )
    return { user, password, ...(await signIn(user.email, password)) }
  }
  return { bench, auth, first, admin, signIn, addUser }
}

/** What the gateway makes of an access token; fails unless its session is live. */
export async function actorOf(bench: ServiceBench, accessToken: string): Promise<Actor> {
  const answer = await bench.client(authService).resolveSession({ accessToken })
  if (answer.state !== 'live') throw new Error(`The session is ${answer.state}`)
  const { userId, name, sessionId, laboratoryId, permissions } = answer
  return { userId, name, sessionId, laboratoryId, permissions, service: null }
}

/** The keys in the database, opened as whoever holds the host's secrets can; the one that signs first. */
export async function readSigningKeys(
  bench: Pick<ServiceBench, 'home' | 'database'>,
): Promise<readonly { readonly id: string; readonly stored: string; readonly privateKey: KeyObject }[]> {
  const log = openLog({ home: bench.home, level: 'error', stderr: false })
  const seal = createSeal(createDomainKeys(createFileStore(secretsFolder(bench.home)), log)('auth'))
  log.close()
  const rows = await bench
    .database('auth')
    .asOwner((tx) =>
      rowsOf<{ id: string; private_key: string }>(
        tx,
        sql`select id, private_key from signing_key order by retired_at is not null, created_at desc`,
      ),
    )
  return rows.map(({ id, private_key: stored }) => {
    const opened = seal.open(stored, id)
    if (opened === null) throw new Error(`The key ${id} does not open`)
    return { id, stored, privateKey: createPrivateKey(opened) }
  })
}

/** A second laboratory in the same database, as a Hub has them, with one administrator. */
export async function addLaboratory(
  bench: ServiceBench,
  given: { readonly name: string; readonly email: string; readonly password: string },
): Promise<string> {
  const laboratoryId = uuidv7()
  const userId = uuidv7()
  const workstation = { id: 'test-bench', name: 'Test bench' }
  const passwordHash = await hashSecret(given.password)
  await bench.database('auth').change(
    {
      laboratoryId,
      actorId: userId,
      origin: 'local',
      workstationId: workstation.id,
      hybridLogicalTime: '',
      reason: null,
      correlationId: uuidv7(),
      procedure: 'auth.setUp',
      idempotencyKey: null,
      requestHash: '',
      secretAnswer: true,
      deadlineAt: Date.now() + 10_000,
      reaction: null,
      causedBy: null,
    },
    async (scope) => {
      const write = { ...scope, actor: null, laboratoryId, workstation }
      await createLaboratory(write, given.name)
      const person = {
        id: userId,
        name: 'Other administrator',
        email: given.email,
        badgeCode: null,
        passwordHash,
      }
      await addPerson(write, { ...person, roles: ['lab_administrator'] }, userId)
    },
  )
  return laboratoryId
}
