import { randomBytes } from 'node:crypto'
import type { Envelope } from '../contract/envelope.ts'
import type { Observe } from '../database/domain-database.ts'
import type { FromService } from './boot.ts'

/** A span of a service's work, reported to the host when it ends: workers export nothing by themselves. */
export interface ServiceSpan {
  /** Measures a part of the work as a child span. */
  readonly observe: Observe
  readonly within: <T>(work: () => Promise<T>) => Promise<T>
  readonly end: (ok: boolean) => void
}

/** Begins the service's part of a call, joined to the gateway's span by the W3C trace context of the envelope. */
export function startSpan(
  name: string,
  envelope: Envelope,
  report: (message: FromService) => void,
): ServiceSpan {
  const [, traceId = randomBytes(16).toString('hex'), parentSpanId = null] =
    /^00-([0-9a-f]{32})-([0-9a-f]{16})-/.exec(envelope.traceParent ?? '') ?? []
  const spanId = randomBytes(8).toString('hex')
  const startedAt = performance.timeOrigin + performance.now()
  const finish = (part: string, id: string, parent: string | null, from: number, ok: boolean) =>
    report({
      type: 'span',
      span: {
        traceId,
        spanId: id,
        parentSpanId: parent,
        name: part,
        startedAt: from,
        durationMs: performance.timeOrigin + performance.now() - from,
        ok,
        attributes: { correlationId: envelope.correlationId },
      },
    })
  return {
    async observe(part, work) {
      const from = performance.timeOrigin + performance.now()
      let ok = false
      try {
        const result = await work()
        ok = true
        return result
      } finally {
        finish(`${name} ${part}`, randomBytes(8).toString('hex'), spanId, from, ok)
      }
    },
    within: (work) => work(),
    end: (ok) => finish(`${name} service`, spanId, parentSpanId, startedAt, ok),
  }
}
