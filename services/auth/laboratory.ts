import { v7 as uuidv7 } from 'uuid'
import { Refusal, ruleBroken } from '../../platform/contract/refusal.ts'
import { isDuplicate } from '../../platform/database/errors.ts'
import type { ReadScope, WriteScope } from '../../platform/service/scopes.ts'
import { authEvents } from './contract.ts'
import { roleNames, type RoleName } from './domain/roles.ts'
import { emailKeyOf, laboratoriesHere, type UserRow } from './people.ts'
import { appUser, credential, laboratory, role } from './schema.ts'

/** Makes the laboratory of a change's scope, with its roles as delivered. */
export async function createLaboratory(write: WriteScope, name: string): Promise<void> {
  const { tx, laboratoryId, now } = write
  await tx.insert(laboratory).values({ laboratoryId, id: laboratoryId, name, createdAt: now })
  await tx
    .insert(role)
    .values(roleNames.map((each) => ({ laboratoryId, id: uuidv7(), name: each, permissions: null })))
  write.announce(authEvents.LaboratorySetUp, { laboratoryId, name })
}

/** The name of the caller's laboratory. */
export async function laboratoryName(scope: ReadScope): Promise<string> {
  const [home] = await scope.read(laboratoriesHere)
  return home?.name ?? ''
}

export interface NewPerson {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly roles: readonly RoleName[]
  readonly badgeCode: string | null
  readonly passwordHash: string
}

/** Adds an active person with a password. Refuses with EMAIL_TAKEN, or when the badge is somebody else's. */
export async function addPerson(write: WriteScope, person: NewPerson, createdBy: string): Promise<UserRow> {
  const { tx, laboratoryId, now } = write
  const { passwordHash, name, ...given } = person
  const [row] = await refusingDuplicates(() =>
    tx
      .insert(appUser)
      .values({
        ...given,
        laboratoryId,
        name: name.trim(),
        emailKey: emailKeyOf(person.email),
        status: 'active',
        createdAt: now,
        createdBy,
      })
      .returning(),
  )
  if (row === undefined) throw new Error('The person was not stored')
  await tx.insert(credential).values({ laboratoryId, userId: row.id, passwordHash })
  write.announce(authEvents.UserChanged, { userId: row.id, status: row.status })
  return row
}

/** Runs a write of a person and puts the database's "not unique" into words. */
export async function refusingDuplicates<T>(write: () => PromiseLike<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (isDuplicate(error, 'app_user_has_its_own_email')) {
      throw new Refusal('EMAIL_TAKEN', 'Somebody has this e-mail address already: nothing was changed')
    }
    if (isDuplicate(error, 'app_user_has_its_own_badge')) {
      throw ruleBroken('badge-unique', 'Somebody has this badge already: nothing was changed', 'badgeCode')
    }
    throw error
  }
}
