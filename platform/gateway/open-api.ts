import type { AnyContractRouter, OpenAPI } from '@orpc/contract'
import { OpenAPIGenerator } from '@orpc/openapi'
import { ZodToJsonSchemaConverter } from '@orpc/zod/zod4'
import { callHeaders } from '../contract/envelope.ts'
import type { Catalogue, KnownProcedure } from './catalogue.ts'

const idempotencyKey: OpenAPI.ParameterObject = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'The same key with the same input answers the same again. One is made when it is left out.',
  schema: { type: 'string', maxLength: 200 },
}
const correlationId: OpenAPI.ParameterObject = {
  name: callHeaders.correlationId,
  in: 'header',
  description: 'Names this call in logs, traces and the journal; the answer repeats it.',
  schema: { type: 'string', maxLength: 100 },
}
const deadline: OpenAPI.ParameterObject = {
  name: callHeaders.deadlineMs,
  in: 'header',
  description:
    "Milliseconds after which an answer is no longer wanted, at most the procedure's own deadline.",
  schema: { type: 'integer', minimum: 1 },
}

/** Describes every procedure that a client may call, as OpenAPI 3.1. */
export async function describeApi(
  catalogue: Catalogue,
  info: { readonly title: string; readonly version: string },
): Promise<OpenAPI.Document> {
  const shown = catalogue.list().filter(({ meta }) => !meta.internal)
  const router: Record<string, Record<string, AnyContractRouter>> = {}
  for (const { domain, name, contract } of shown) (router[domain] ??= {})[name] = contract
  const generator = new OpenAPIGenerator({ schemaConverters: [new ZodToJsonSchemaConverter()] })
  const document = await generator.generate(router, {
    info,
    components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
    security: [{ bearer: [] }],
    customErrorResponseBodySchema: (errors) => ({
      oneOf: errors.map(([code, message, , data]) => ({
        type: 'object',
        required: ['code', 'message', 'data'],
        properties: { code: { const: code }, message: { type: 'string', default: message }, data },
      })),
    }),
  })
  for (const procedure of shown) describeOperation(document, procedure)
  return document
}

function describeOperation(document: OpenAPI.Document, { contract, meta }: KnownProcedure): void {
  const { path, method } = contract['~orpc'].route
  const item = path === undefined ? undefined : document.paths?.[path]
  const operation = method === 'GET' ? item?.get : item?.post
  if (operation === undefined) return
  const headers =
    meta.kind === 'command' ? [idempotencyKey, correlationId, deadline] : [correlationId, deadline]
  operation.parameters = [...(operation.parameters ?? []), ...headers]
  operation.description = `Permission: ${meta.permission}. Answered within ${meta.deadlineMs} ms.`
  if (meta.permission === 'public') operation.security = []
}
