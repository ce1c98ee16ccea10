import type { AnySchema } from '@orpc/contract'
import { z } from 'zod'

export type InputPath = readonly (string | number)[]

/** An input that a schema accepts, with everything optional there, and where in it anybody may write what they like. */
export interface MadeUpInput {
  readonly value: unknown
  readonly freeTexts: readonly InputPath[]
}

const freeText = `Robert'); DROP TABLE sample; -- <script>alert("1")</script>`

/** One of these fits each text that must have a form. */
const formed = [
  '01890a5d-ac96-774b-bcce-b302099a8057',
  '2026-01-31',
  '2026-01-31T08:00:00Z',
  'somebody@example.org',
  '12.5',
  '1234',
  '9606',
  'A',
  'A1',
  'seven-blue-centrifuges-2',
  'a'.repeat(64),
  'field_key',
]

/** Makes an input for a procedure; null when it takes none, or one that JSON cannot carry. */
export function makeUpInput(schema: AnySchema | undefined): MadeUpInput | null {
  if (!(schema instanceof z.ZodObject)) return null
  const freeTexts: InputPath[] = []
  const value = makeUp(schema, [], freeTexts)
  return schema.safeParse(value).success ? { value, freeTexts } : null
}

/** The input with another text in one place. */
export function withText(value: unknown, [step, ...rest]: InputPath, text: string): unknown {
  if (step === undefined) return text
  if (Array.isArray(value))
    return value.map((item: unknown, index): unknown => (index === step ? withText(item, rest, text) : item))
  const fields = value as Readonly<Record<string, unknown>>
  return { ...fields, [step]: withText(fields[step], rest, text) }
}

function makeUp(schema: unknown, path: InputPath, freeTexts: InputPath[]): unknown {
  if (!(schema instanceof z.ZodType)) throw new Error(`At ${path.join('.')} is no schema`)
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodCatch
  )
    return makeUp(schema.unwrap(), path, freeTexts)
  if (schema instanceof z.ZodPipe) return makeUp(schema.in, path, freeTexts)
  if (schema instanceof z.ZodObject)
    return Object.fromEntries(
      Object.entries(schema.shape).map(([name, field]) => [name, makeUp(field, [...path, name], freeTexts)]),
    )
  if (schema instanceof z.ZodArray) return [makeUp(schema.element, [...path, 0], freeTexts)]
  if (schema instanceof z.ZodRecord) return { key: makeUp(schema.valueType, [...path, 'key'], freeTexts) }
  if (schema instanceof z.ZodUnion) return makeUp(schema.options[0], path, freeTexts)
  if (schema instanceof z.ZodEnum) return schema.options[0]
  if (schema instanceof z.ZodLiteral) return schema.value
  if (schema instanceof z.ZodBoolean) return true
  if (schema.safeParse(freeText).success) {
    freeTexts.push(path)
    return freeText
  }
  return [...formed, true, 1, 10, null].find((candidate) => schema.safeParse(candidate).success)
}
