import { v7 as uuidv7 } from 'uuid'
import type { z } from 'zod'
import { Refusal } from '../../platform/contract/refusal.ts'
import { isDuplicate } from '../../platform/database/errors.ts'
import type { ReadTransaction } from '../../platform/database/transaction.ts'
import { reads, writes } from '../../platform/service/implementation.ts'
import type { ReadScope, WriteScope } from '../../platform/service/scopes.ts'
import type { SampleType as SampleTypeItem } from './contract.ts'
import { brokenRule } from './decisions.ts'
import {
  builtInSampleTypes,
  decideNewSampleType,
  findSampleType,
  type SampleType,
} from './domain/sample-type.ts'
import { occasionOf } from './people.ts'
import { sampleType } from './schema.ts'

export const types = reads((scope: ReadScope) =>
  scope.read(async (tx): Promise<z.input<typeof SampleTypeItem>[]> => [...(await readTypes(tx))]),
)

export const addType = writes(async (scope: WriteScope, input: { name: string; letter: string }) => {
  const decision = decideNewSampleType(await readTypes(scope.tx), input)
  if (!decision.ok) {
    if (decision.refusal.rule === 'sample_type_exists') throw nameTaken(decision.refusal.message)
    throw brokenRule(
      decision.refusal,
      decision.refusal.rule === 'sample_type_letter_taken' ? 'letter' : 'name',
    )
  }
  const { key, name, letter } = decision.value
  const { at, by } = occasionOf(scope)
  try {
    await scope.tx.insert(sampleType).values({
      laboratoryId: scope.laboratoryId,
      id: uuidv7(),
      key,
      name,
      letter,
      createdAt: at,
      createdBy: by,
    })
  } catch (error) {
    // On a server, somebody else may add the same type between our look and our write.
    if (!isDuplicate(error)) throw error
    throw nameTaken(`A sample type like ${name} was added at this moment.`)
  }
  return decision.value
})

/** Built-in types and those of the laboratory, in the order in which they are offered. */
export async function readTypes(tx: ReadTransaction): Promise<readonly SampleType[]> {
  const own = await tx
    .select({ key: sampleType.key, name: sampleType.name, letter: sampleType.letter })
    .from(sampleType)
    .orderBy(sampleType.createdAt, sampleType.id)
  return [...builtInSampleTypes, ...own.map((type) => ({ ...type, builtIn: false }))]
}

/** The key of the type a person means; refused when there is none. */
export async function requireType(tx: ReadTransaction, text: string): Promise<string> {
  // The common ones need no look into the database.
  const known = findSampleType(text, builtInSampleTypes)
  if (known !== null) return known.key
  const all = await readTypes(tx)
  const own = findSampleType(text, all)
  if (own !== null) return own.key
  const names = all.map((type) => type.name)
  throw brokenRule(
    {
      rule: 'sample_type_unknown',
      message: `There is no sample type "${text}". Take one of ${names.join(', ')}, or add it.`,
      allowed: names,
    },
    'type',
  )
}

function nameTaken(message: string): Refusal {
  return new Refusal('NAME_TAKEN', message)
}
