import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writeWhole } from './durable-files.ts'
import { checkpointBytes } from './entry.ts'
import { verifySignature } from './workstation-key.ts'

/**
 * The Hub's word for how this journal went on up to an entry. Whoever holds the workstation's key can write another
 * journal and sign it; the Hub's key they do not have.
 */
const Countersignature = z.strictObject({
  sequence: z.int().min(0),
  /** The entry's chain hash. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  /** The Hub's key; SPKI, base64. */
  hubKey: z.string(),
  signature: z.string(),
  /** The journal's epoch then: one that was lost and begun anew since is in a later one. */
  epoch: z.int().min(1),
})
export type Countersignature = z.output<typeof Countersignature>

/** Keeps the newest one beside the journal: the Hub may say again what it said earlier, as on a stick that was long under way. */
export function keepCountersignature(home: string, countersignature: Countersignature): void {
  const { hubKey, epoch, sequence } = countersignature
  const kept = readIfSound(home)
  if (kept?.hubKey === hubKey && kept.epoch === epoch && kept.sequence > sequence) return
  writeWhole(pathIn(home), JSON.stringify(countersignature, null, 2))
}

/** The newest one; null when there is none. Throws for a file that does not hold one. */
export function readCountersignature(home: string): Countersignature | null {
  const path = pathIn(home)
  return existsSync(path) ? Countersignature.parse(JSON.parse(readFileSync(path, 'utf8'))) : null
}

/** A damaged one is written anew; `verify` tells of it as long as it is there. */
function readIfSound(home: string): Countersignature | null {
  try {
    return readCountersignature(home)
  } catch {
    return null
  }
}

/** Whether the Hub with the key in it made it. */
export function isCountersigned({
  sequence,
  hash,
  hubKey,
  signature,
}: Pick<Countersignature, 'sequence' | 'hash' | 'hubKey' | 'signature'>): boolean {
  return verifySignature({
    publicKey: hubKey,
    purpose: 'hub-countersignature',
    data: checkpointBytes(sequence, Buffer.from(hash, 'hex')),
    signature,
  })
}

function pathIn(home: string): string {
  return join(home, 'hub-countersignature.json')
}
