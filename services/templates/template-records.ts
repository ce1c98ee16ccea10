import { and, eq, max, sql } from 'drizzle-orm'
import { v5 as uuidv5 } from 'uuid'
import type { z } from 'zod'
import { ruleBroken } from '../../platform/contract/refusal.ts'
import { toInstant, toInstantOrNull } from '../../platform/database/paging.ts'
import type { ReadTransaction } from '../../platform/database/transaction.ts'
import type { WriteScope } from '../../platform/service/scopes.ts'
import { type Template as ShownTemplate, templatesEvents } from './contract.ts'
import { sampleManifest } from './domain/sample-manifest.ts'
import { Template } from './domain/template.ts'
import type { TemplateRecord } from './imports.ts'
import { template, type TemplateDefinition } from './schema.ts'
import { showField } from './template-fields.ts'

/** Counts up whenever the form that comes with TracSeq changes; laboratories then get it as a version of its own. */
const sampleManifestEdition = 1

/** A template as the contract shows it. */
export function toTemplate(record: TemplateRecord): z.input<typeof ShownTemplate> {
  const { fields, identity, checks } = record.definition
  return {
    id: record.id,
    name: record.name,
    version: record.version,
    state: record.state,
    builtIn: record.builtIn,
    description: record.description,
    fields: fields.map(showField),
    identity,
    checks,
    createdAt: toInstant(record.createdAt),
    publishedAt: toInstantOrNull(record.publishedAt),
    revision: record.revision,
  }
}

/** What a draft is to hold, judged as a whole. A draft without fields is one that is still to be written. */
export function readDefinition(
  name: string,
  parts: {
    readonly fields: readonly { readonly key: string }[]
    readonly identity: readonly string[]
    readonly checks: Template['checks']
  },
): TemplateDefinition {
  if (parts.fields.length === 0) return { fields: [], identity: [], checks: [] }
  const parsed = Template.safeParse({ name, ...parts })
  if (parsed.success) {
    const { fields, identity, checks } = parsed.data
    return { fields, identity, checks }
  }
  const [issue] = parsed.error.issues
  const [part, index] = issue?.path ?? []
  const field = part === 'fields' && typeof index === 'number' ? parts.fields[index]?.key : undefined
  const about = field === undefined ? 'The template' : `The field ${field}`
  throw ruleBroken(
    'template',
    `${about} cannot be kept like this: ${issue?.message ?? 'it is not valid'}`,
    field,
  )
}

/** The number the next version of a name gets. */
export async function nextVersion(tx: ReadTransaction, name: string): Promise<number> {
  const [last] = await tx
    .select({ version: max(template.version) })
    .from(template)
    .where(eq(sql`lower(${template.name})`, name.toLowerCase()))
  return (last?.version ?? 0) + 1
}

/** The id under which every workstation of a laboratory publishes the form that comes with TracSeq. */
export function builtInId(laboratoryId: string): string {
  return uuidv5(`sample-manifest/${sampleManifestEdition}`, laboratoryId)
}

/** Publishes the form that comes with TracSeq, unless this laboratory has it. */
export async function publishBuiltIn(scope: WriteScope): Promise<void> {
  const id = builtInId(scope.laboratoryId)
  const [known] = await scope.tx
    .select({ id: template.id })
    .from(template)
    .where(and(eq(template.laboratoryId, scope.laboratoryId), eq(template.id, id)))
  if (known !== undefined) return
  const { name, description = '', fields, identity, checks } = sampleManifest
  const version = await nextVersion(scope.tx, name)
  await scope.tx.insert(template).values({
    laboratoryId: scope.laboratoryId,
    id,
    name,
    version,
    state: 'published',
    builtIn: true,
    description,
    definition: { fields, identity, checks },
    createdAt: scope.now,
    createdBy: 'TracSeq',
    publishedAt: scope.now,
  })
  scope.announce(templatesEvents.TemplatePublished, { templateId: id, name, version })
}
