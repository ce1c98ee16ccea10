import { z } from 'zod'
import { text } from '../../platform/contract/values.ts'

/** How one serial barcode scanner is connected and how its codes end. Everything but id, name and path has a default. */
export const ScannerSettings = z.object({
  id: text(60).min(1),
  name: text(120).min(1),
  /** Typed or picked: `/dev/ttyACM0`, `/dev/pts/7`, `COM3`. */
  path: text(300).trim().min(1),
  baudRate: z.number().int().min(300).max(4_000_000).default(9_600),
  dataBits: z.union([z.literal(7), z.literal(8)]).default(8),
  stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
  parity: z.enum(['none', 'even', 'odd']).default('none'),
  flowControl: z.enum(['none', 'rts-cts', 'xon-xoff']).default('none'),
  /** An end of a code beside CR, LF and CR LF. */
  suffix: text(8)
    .regex(/^[^\r\n]*[\r\n]*$/, 'The suffix may hold CR and LF only at its end')
    .default(''),
  /** For scanners that send no terminator: silence this long ends a code. 0 is off. */
  idleFlushMs: z.number().int().min(0).max(5_000).default(0),
  maximumFrameBytes: z.number().int().min(8).max(65_536).default(8_192),
  staleAfterMs: z.number().int().min(100).max(600_000).default(10_000),
})
export type ScannerSettings = z.infer<typeof ScannerSettings>
export type ScannerSettingsInput = z.input<typeof ScannerSettings>
