import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { composePayload } from './entry.ts'
import type { EntryMetadata, NewJournalEntry } from './entry.ts'
import type { StartJournalOptions } from './start-journal.ts'

/** An entry for tests; the same arguments make the same bytes. */
export function makeEntry(
  domain: string,
  domainSequence: number,
  overrides: Partial<EntryMetadata> = {},
  body: object = { changes: [{ table: 'sample', key: `${domain}-${domainSequence}`, name: 'Ünïcode µL' }] },
): NewJournalEntry {
  const metadata: EntryMetadata = {
    kind: 'change',
    domain,
    domainSequence,
    changeSetId: `change-${domain}-${domainSequence}`,
    origin: 'local',
    actorId: 'anna',
    workstationId: 'bench-1',
    hybridLogicalTime: `0000018c${String(domainSequence).padStart(8, '0')}`,
    reason: null,
    correlationId: `correlation-${domainSequence}`,
    recordedAt: new Date(Date.UTC(2026, 10, 21, 9, 0, domainSequence)).toISOString(),
    eventNames: [],
    ...overrides,
  }
  return { ...metadata, payload: composePayload(metadata, body) }
}

export function makeEntries(domain: string, from: number, to: number): readonly NewJournalEntry[] {
  return Array.from({ length: to - from + 1 }, (_, index) => makeEntry(domain, from + index))
}

export const TEST_AUTHOR = {
  changeSetId: 'change-by-system',
  actorId: 'system',
  workstationId: 'bench-1',
  hybridLogicalTime: '0000018c00000000',
  correlationId: 'correlation-by-system',
  recordedAt: '2026-11-21T10:00:00.000Z',
}

/** Start options with a reserve that no test machine's disk violates by chance. */
export function testOptions(home: string): StartJournalOptions {
  return {
    home,
    reserveBytes: 0,
    author: {
      actorId: 'system',
      workstationId: 'bench-1',
      hybridLogicalTime: () => TEST_AUTHOR.hybridLogicalTime,
    },
  }
}

const homes: string[] = []

export function makeHome(parent = tmpdir()): string {
  const home = mkdtempSync(join(parent, 'tracseq-journal-'))
  homes.push(home)
  return home
}

export function removeHomes(): void {
  for (const home of homes.splice(0)) rmSync(home, { recursive: true, force: true })
}
