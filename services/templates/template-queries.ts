import { and, eq } from 'drizzle-orm'
import type { z } from 'zod'
import { pageClauses, pageOf } from '../../platform/database/paging.ts'
import { reads } from '../../platform/service/implementation.ts'
import type { ReadScope } from '../../platform/service/scopes.ts'
import type { TemplateState } from './contract.ts'
import { findTemplate, type TemplateRecord } from './imports.ts'
import { template } from './schema.ts'
import { toTemplate } from './template-records.ts'

export const list = reads(
  (
    scope: ReadScope,
    input: {
      limit: number
      cursor?: string | undefined
      sort: string
      state?: z.infer<typeof TemplateState> | undefined
    },
  ) =>
    scope.read(async (tx) => {
      const page = pageClauses(input, { name: template.name, createdAt: template.createdAt }, template.id)
      const rows = await tx
        .select()
        .from(template)
        .where(and(page.after, input.state === undefined ? undefined : eq(template.state, input.state)))
        .orderBy(...page.orderBy)
        .limit(page.limit)
      const key = (row: TemplateRecord) => (input.sort.endsWith('name') ? row.name : row.createdAt)
      return pageOf(rows, input, (row) => [key(row), row.id], toTemplate)
    }),
)

export const get = reads((scope: ReadScope, input: { id: string }) =>
  scope.read(async (tx) => toTemplate(await findTemplate(tx, input.id))),
)
