import { z } from 'zod'

const Content = z.object({
  body: z.object({
    command: z.object({ procedure: z.string() }).nullish(),
    changes: z
      .array(
        z.object({
          table: z.string(),
          operation: z.string(),
          key: z.object({ id: z.string().optional() }).catch({}),
          values: z.record(z.string(), z.unknown()),
        }),
      )
      .default([]),
    migration: z.object({ name: z.string(), sql: z.string() }).optional(),
  }),
})

export interface RowChange {
  readonly table: string
  readonly operation: string
  readonly id: string | null
  /** Field and its new value as text; what only the database needs is left out. */
  readonly fields: readonly (readonly [name: string, value: string])[]
}

export interface EntryContent {
  readonly procedure: string | null
  readonly changes: readonly RowChange[]
  readonly migration: { readonly name: string; readonly sql: string } | null
}

const internal: ReadonlySet<string> = new Set(['revision', 'laboratory_id', 'id'])

/**
 * Reads an entry's payload for people. Null when it is of a kind this version does not know: then the screen shows it
 * as it stands.
 */
export function readEntryContent(payload: string): EntryContent | null {
  const parsed = Content.safeParse(parseJson(payload))
  if (!parsed.success) return null
  const { command, changes, migration } = parsed.data.body
  return {
    procedure: command?.procedure ?? null,
    migration: migration ?? null,
    changes: changes.map(({ table, operation, key, values }) => ({
      table,
      operation,
      id: key.id ?? null,
      fields: Object.entries(values)
        .filter(([name]) => !internal.has(name))
        .map(([name, value]) => [name, valueText(value)] as const),
    })),
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function valueText(value: unknown): string {
  if (value === null || value === undefined) return '–'
  return typeof value === 'string' ? value : JSON.stringify(value)
}
