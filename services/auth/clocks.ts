import type { Clocks } from './domain/session.ts'

/** Both clocks now. Node's high-resolution time counts from the machine's start, in every process alike. */
export function readClocks(): Clocks {
  return { wallMs: Date.now(), monotonicMs: Number(process.hrtime.bigint() / 1_000_000n) }
}
