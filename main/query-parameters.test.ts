import { expect, it } from 'vitest'
import { z } from 'zod'
import { Catalogue } from '../platform/gateway/catalogue.ts'
import { system } from '../platform/gateway/contract.ts'
import { sync } from '../platform/sync/contract.ts'
import { coerceQuery } from '../platform/gateway/query-coercion.ts'
import { services } from '../services/registry.ts'
import { devices } from './devices/contract.ts'

const catalogue = new Catalogue()
for (const { name, contract } of services) catalogue.add(name, contract)
catalogue.add('system', system)
catalogue.add('devices', devices)
catalogue.add('sync', sync)

/** Every parameter that is a number or a yes or no, of every query that HTTP serves. */
const parameters = catalogue.list().flatMap(({ label, meta, contract }) => {
  const { inputSchema, route } = contract['~orpc']
  if (meta.internal || route.method !== 'GET' || !(inputSchema instanceof z.ZodObject)) return []
  return Object.entries(inputSchema.shape)
    .filter(([, field]) => isNumberOrBoolean(field))
    .map(([name]) => ({ label, name, schema: inputSchema }))
})

it('covers the paged lists and their choices', () => {
  const names = parameters.map(({ label, name }) => `${label} ${name}`)
  expect(names).toEqual(expect.arrayContaining(['samples.list limit', 'samples.list withDeleted']))
})

it.each(parameters)('$label refuses a word as $name', ({ name, schema }) => {
  for (const word of ['no', 'False', 'yes', '', ' 1', '0x10']) {
    const { error } = schema.safeParse(coerceQuery(schema, { [name]: word }))
    expect(
      error?.issues.map(({ path }) => path.join('.')),
      word,
    ).toContain(name)
  }
})

function isNumberOrBoolean(field: unknown): boolean {
  if (field instanceof z.ZodDefault || field instanceof z.ZodOptional || field instanceof z.ZodNullable)
    return isNumberOrBoolean(field.unwrap())
  return field instanceof z.ZodNumber || field instanceof z.ZodBoolean
}
