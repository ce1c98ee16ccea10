import { v7 as uuidv7 } from 'uuid'
import type { z } from 'zod'
import { toInstant } from '../../platform/database/paging.ts'
import { orchestrates, reads } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, ReadScope, WriteScope } from '../../platform/service/scopes.ts'
import type { NewLaboratory } from './contract.ts'
import { addPerson, createLaboratory } from './laboratory.ts'
import { refuseCommonPassword } from './passwords.ts'
import { laboratory } from './schema.ts'
import { hashSecret } from './secrets.ts'

interface Founded {
  readonly laboratoryId: string
  readonly userId: string
}

/** Makes a laboratory with its first administrator, and does `then` in the same change set. */
export async function makeLaboratory<T>(
  scope: OrchestrationScope,
  { laboratoryName, administrator }: z.infer<typeof NewLaboratory>,
  then: (write: WriteScope, founded: Founded) => Promise<T>,
): Promise<T> {
  const { name, email, password } = administrator
  await refuseCommonPassword(scope, password, [email, name, laboratoryName])
  const passwordHash = await hashSecret(password)
  const founded = { laboratoryId: uuidv7(), userId: uuidv7() }
  return scope.change(
    'set-up',
    async (write) => {
      await createLaboratory(write, laboratoryName.trim())
      const person = { id: founded.userId, name, email, badgeCode: null, passwordHash }
      await addPerson(write, { ...person, roles: ['lab_administrator'] }, founded.userId)
      return then(write, founded)
    },
    { laboratoryId: founded.laboratoryId, actorId: founded.userId },
  )
}

export const addLaboratory = orchestrates((scope: OrchestrationScope, input: z.infer<typeof NewLaboratory>) =>
  makeLaboratory(scope, input, (_write, { laboratoryId }) =>
    Promise.resolve({ id: laboratoryId, name: input.laboratoryName.trim() }),
  ),
)

export const laboratories = reads(async (scope: ReadScope) => {
  const rows = await scope.readAcrossLaboratories((tx) =>
    tx.select().from(laboratory).orderBy(laboratory.createdAt),
  )
  return rows.map(({ id, name, createdAt }) => ({ id, name, createdAt: toInstant(createdAt) }))
})
