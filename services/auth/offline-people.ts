import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { hash } from '@node-rs/argon2'
import { and, eq, inArray, notInArray, sql } from 'drizzle-orm'
import { Refusal } from '../../platform/contract/refusal.ts'
import { system } from '../../platform/gateway/contract.ts'
import { orchestrates, reads } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, ReadScope } from '../../platform/service/scopes.ts'
import { permissionsOfPerson } from './domain/roles.ts'
import { editedRoles, laboratoriesHere } from './people.ts'
import { appUser, credential, laboratory } from './schema.ts'
import { isSecret } from './secrets.ts'

/*
 * People of a Hub's laboratory at a workstation. It keeps of a password what is enough to recognise it here and useless
 * anywhere else: salt and parameters of the argon2id hash, and an HMAC of the hash under a key of this workstation's own.
 * The HMAC covers until when that holds, so nobody prolongs it in the database.
 */

interface Credential {
  readonly userId: string
  readonly passwordHash: string
}

const mark = 'offline'
/** `$argon2id$v=19$m=…,t=…,p=…$<salt>$<hash>` */
const phc = /^(\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+))\$[A-Za-z0-9+/]+$/

/** By home: one process may hold several workstations. */
const keys = new Map<string, Buffer>()

/** Takes up the key under which this workstation keeps what it knows of passwords. */
export async function openOfflineKey(scope: OrchestrationScope): Promise<void> {
  const { key } = await scope.service('system', system).domainKey()
  const bytes = hkdfSync('sha256', Buffer.from(key, 'base64'), '', 'tracseq offline people', 32)
  keys.set(scope.home, Buffer.from(bytes))
}

/** Whether what is kept of a password came from the Hub: then it is changed there and nowhere else. */
export function isFromHub(stored: string | null): boolean {
  return stored?.startsWith(`${mark}$`) === true
}

/**
 * Whether a password is the right one, whichever way it is kept here. Refuses a right one with OFFLINE_TOO_LONG when the
 * workstation has not reached its Hub for longer than people may sign in without it.
 */
export async function isPassword(
  scope: Pick<OrchestrationScope, 'home' | 'now'>,
  stored: string | null,
  password: string,
): Promise<boolean> {
  if (stored === null || !isFromHub(stored)) return isSecret(stored, password)
  const [, until = '', mac = '', ...prefix] = stored.split('$')
  const argon = await hashLike(`$${prefix.join('$')}`, password)
  const right = argon !== null && isEqual(macOf(scope.home, until, argon), Buffer.from(mac, 'base64'))
  if (right && until < scope.now)
    throw new Refusal(
      'OFFLINE_TOO_LONG',
      'This workstation has not reached its Hub for too long: connect it, then sign in',
    )
  return right
}

/** What the Hub must know of people: who they are now and what they may do. */
export const peopleOf = reads(
  async (scope: ReadScope, input: { laboratoryId: string; userIds: readonly string[] }) => {
    const { laboratoryId, userIds } = input
    return scope.readAcrossLaboratories(async (tx) => {
      const known = await tx.$count(laboratory, eq(laboratory.laboratoryId, laboratoryId))
      if (userIds.length === 0) return { known: known > 0, people: [] }
      const edited = await editedRoles(tx, laboratoryId)
      const rows = await tx
        .select({ userId: appUser.id, name: appUser.name, status: appUser.status, roles: appUser.roles })
        .from(appUser)
        .where(and(eq(appUser.laboratoryId, laboratoryId), inArray(appUser.id, [...userIds])))
      const people = rows.map(({ userId, name, status, roles }) => ({
        ...{ userId, name, status },
        permissions: [...permissionsOfPerson(roles, edited)],
      }))
      return { known: known > 0, people }
    })
  },
)

/** The argon2id hashes of a laboratory's active people; the way to a workstation, or from a founder, is theirs only. */
export const credentialsOf = reads(
  async (scope: ReadScope, input: { laboratoryId: string; administrators: boolean }) => {
    const rows = await scope.readAcrossLaboratories((tx) =>
      tx
        .select({ userId: credential.userId, passwordHash: credential.passwordHash })
        .from(credential)
        .innerJoin(
          appUser,
          and(eq(appUser.laboratoryId, credential.laboratoryId), eq(appUser.id, credential.userId)),
        )
        .where(
          and(
            eq(credential.laboratoryId, input.laboratoryId),
            eq(appUser.status, 'active'),
            input.administrators ? undefined : sql`not ${appUser.roles} ? 'lab_administrator'`,
          ),
        ),
    )
    return { credentials: rows.filter(({ passwordHash }) => phc.test(passwordHash)) }
  },
)

/** At the Hub: takes what a founder's people prove by who they are. Somebody who has a password here keeps it. */
export const takeCredentials = orchestrates(
  async (scope: OrchestrationScope, input: { laboratoryId: string; credentials: readonly Credential[] }) => {
    const { laboratoryId } = input
    const sound = input.credentials.filter(({ passwordHash }) => phc.test(passwordHash))
    if (sound.length > 0)
      await scope.asOwner((tx) =>
        tx
          .insert(credential)
          .values(sound.map(({ userId, passwordHash }) => ({ laboratoryId, userId, passwordHash })))
          .onConflictDoNothing(),
      )
    return {}
  },
)

/** At a workstation: from now on these people may sign in here without the Hub, and nobody else of the laboratory. */
export const keepOfflinePeople = orchestrates(
  async (
    scope: OrchestrationScope,
    input: { laboratoryId: string; credentials: readonly Credential[]; until: string },
  ) => {
    const { laboratoryId, until } = input
    const kept = input.credentials.flatMap(({ userId, passwordHash }) => {
      const sealed = sealHash(scope.home, until, passwordHash)
      return sealed === null ? [] : [{ laboratoryId, userId, passwordHash: sealed }]
    })
    await scope.asOwner(async (tx) => {
      const ids = kept.map(({ userId }) => userId)
      await tx
        .delete(credential)
        .where(
          and(
            eq(credential.laboratoryId, laboratoryId),
            ids.length === 0 ? undefined : notInArray(credential.userId, ids),
          ),
        )
      if (kept.length === 0) return
      // Wrong tries and the PIN stay: they are this workstation's own.
      await tx
        .insert(credential)
        .values(kept)
        .onConflictDoUpdate({
          target: [credential.laboratoryId, credential.userId],
          set: { passwordHash: sql`excluded.password_hash` },
        })
    })
    return {}
  },
)

/** The one laboratory of a workstation, with its name. */
export const laboratoryHere = reads(async (scope: ReadScope) => {
  const [home] = await scope.readAcrossLaboratories(laboratoriesHere)
  return { laboratory: home ?? null }
})

function sealHash(home: string, until: string, passwordHash: string): string | null {
  const prefix = phc.exec(passwordHash)?.[1]
  if (prefix === undefined) return null
  return `${mark}$${until}$${macOf(home, until, passwordHash).toString('base64')}${prefix}`
}

/** The argon2id hash of a password under the parameters and salt of another one. */
async function hashLike(prefix: string, password: string): Promise<string | null> {
  const parts = phc.exec(`${prefix}$A`)
  if (parts === null) return null
  const [, , memoryCost, timeCost, parallelism, salt = ''] = parts
  const parameters = {
    // `algorithm` 2 is argon2id; its enum is types only.
    ...({ algorithm: 2 } as const),
    memoryCost: Number(memoryCost),
    timeCost: Number(timeCost),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
  }
  return hash(password.normalize('NFKC'), parameters)
}

function macOf(home: string, until: string, argon: string): Buffer {
  const key = keys.get(home)
  if (key === undefined) throw new Error('The key of offline sign-in is taken up when the service opens')
  return createHmac('sha256', key).update(`${until} ${argon}`).digest()
}

function isEqual(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}
