const redacted = '[redacted]'

/** Names whose values are secrets wherever they stand. `pin` must be a word of its own: `shipping` is none. */
const secretName =
  /password|passphrase|secret|authorization|cookie|credential|token|api-?_?key|private-?_?key|(^|_|-)pins?($|_|-|[A-Z])|[a-z]Pin$/i
const bearer = /\b(Bearer|Basic)\s+[\w.~+/=-]+/gi
const jsonWebToken = /\beyJ[\w-]{4,}\.[\w-]{4,}(\.[\w-]*)?/g
const deepest = 8

/** Takes secrets out of a text: bearer headers and JSON web tokens. */
export function redactText(text: string): string {
  return text.replace(bearer, `$1 ${redacted}`).replace(jsonWebToken, redacted)
}

/** A copy in which every value under a secret's name is replaced, at any depth, and errors are spelt out. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object' || value === null) return value
  if (depth > deepest) return '[deeper]'
  if (value instanceof Error) return redactError(value, depth)
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1))
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return '[bytes]'
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  return redactFields(value, depth)
}

/** Like {@link redact} for the fields of a log line. */
export function redactFields(fields: object, depth = 0): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      secretName.test(name) ? redacted : redact(value, depth + 1),
    ]),
  )
}

function redactError(error: Error, depth: number): unknown {
  return {
    name: error.name,
    message: redactText(error.message),
    stack: error.stack === undefined ? undefined : redactText(error.stack),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  }
}
