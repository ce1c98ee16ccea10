import { and, eq } from 'drizzle-orm'
import { v7 as uuidv7 } from 'uuid'
import { changedMeanwhile, Refusal, ruleBroken } from '../../platform/contract/refusal.ts'
import { isDuplicate } from '../../platform/database/errors.ts'
import { writes } from '../../platform/service/implementation.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { type TemplateField as ShownField, templatesEvents, type TemplateState } from './contract.ts'
import { findPublishingProblem } from './domain/publishing.ts'
import type { Template } from './domain/template.ts'
import { findTemplate, type TemplateRecord } from './imports.ts'
import { template } from './schema.ts'
import { nextVersion, publishBuiltIn, readDefinition, toTemplate } from './template-records.ts'
import { readField } from './template-fields.ts'
import type { z } from 'zod'

type State = z.infer<typeof TemplateState>

interface DraftParts {
  readonly fields?: ShownField[] | undefined
  readonly identity?: string[] | undefined
  readonly checks?: Template['checks'] | undefined
}

export const createDraft = writes(
  async (
    scope: WriteScope,
    input: DraftParts & { name: string; description: string; fromId?: string | undefined },
  ) => {
    await publishBuiltIn(scope)
    const from = input.fromId === undefined ? null : await findTemplate(scope.tx, input.fromId)
    const row = {
      laboratoryId: scope.laboratoryId,
      id: uuidv7(),
      name: input.name.trim(),
      version: await nextVersion(scope.tx, input.name.trim()),
      state: 'draft' as const,
      description: input.description === '' ? (from?.description ?? '') : input.description,
      definition: combine(input.name, input, from),
      createdAt: scope.now,
      createdBy: scope.actor?.name ?? 'nobody',
    }
    return toTemplate(await store(async () => scope.tx.insert(template).values(row).returning(), row.name))
  },
)

export const updateDraft = writes(
  async (
    scope: WriteScope,
    input: DraftParts & {
      id: string
      revision: string
      name?: string | undefined
      description?: string | undefined
    },
  ) => {
    const known = await findTemplate(scope.tx, input.id)
    if (known.state !== 'draft') {
      throw ruleBroken(
        'published_is_fixed',
        `${known.name}, version ${known.version}, is ${known.state} and never changes. Start its next version instead.`,
      )
    }
    if (known.revision !== input.revision) throw changedMeanwhile(`The template ${known.name}`)
    const name = input.name?.trim() ?? known.name
    const renamed = name.toLowerCase() !== known.name.toLowerCase()
    const row = {
      name,
      version: renamed ? await nextVersion(scope.tx, name) : known.version,
      description: input.description ?? known.description,
      definition: combine(name, input, known),
    }
    return toTemplate(await store(async () => change(scope, known.id, row), name))
  },
)

/** What may follow a state. A draft that is not wanted goes to the archive at once. */
const successors: Readonly<Record<State, readonly State[]>> = {
  draft: ['published', 'archived'],
  published: ['deprecated'],
  deprecated: ['published', 'archived'],
  archived: [],
}

export const changeState = writes(
  async (
    scope: WriteScope,
    input: { id: string; to: Exclude<State, 'draft'>; reason?: string | undefined },
  ) => {
    const known = await findTemplate(scope.tx, input.id)
    if (known.state === input.to) return toTemplate(known)
    const allowed = successors[known.state]
    if (!allowed.includes(input.to)) {
      throw new Refusal(
        'RULE_BROKEN',
        `${known.name}, version ${known.version}, is ${known.state} and cannot become ${input.to}.`,
        { rule: 'template_state', field: 'to', allowed },
      )
    }
    const publishes = known.state === 'draft' && input.to === 'published'
    if (publishes) {
      const problem = findPublishingProblem(known.definition)
      if (problem !== null) throw ruleBroken('template_makes_samples', problem.message, problem.field)
      const { id, name, version } = known
      scope.announce(templatesEvents.TemplatePublished, { templateId: id, name, version })
    }
    const publishedAt = publishes ? scope.now : known.publishedAt
    const [row] = await change(scope, known.id, { state: input.to, publishedAt })
    if (row === undefined) throw new Error('The template was not stored')
    return toTemplate(row)
  },
)

/** What is given takes the place of what there was, part by part. */
function combine(
  name: string,
  given: DraftParts,
  before: TemplateRecord | null,
): TemplateRecord['definition'] {
  return readDefinition(name, {
    fields: given.fields?.map(readField) ?? before?.definition.fields ?? [],
    identity: given.identity ?? before?.definition.identity ?? [],
    checks: given.checks ?? before?.definition.checks ?? [],
  })
}

function change(scope: WriteScope, id: string, row: Partial<TemplateRecord>): Promise<TemplateRecord[]> {
  return scope.tx
    .update(template)
    .set(row)
    .where(and(eq(template.laboratoryId, scope.laboratoryId), eq(template.id, id)))
    .returning()
}

async function store(work: () => Promise<TemplateRecord[]>, name: string): Promise<TemplateRecord> {
  try {
    const [row] = await work()
    if (row === undefined) throw new Error('The template was not stored')
    return row
  } catch (error) {
    // On a server, somebody else may start the same version between our look and our write.
    if (isDuplicate(error, 'template_version_is_one')) throw changedMeanwhile(`The template ${name}`)
    throw error
  }
}
