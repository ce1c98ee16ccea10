import { v7 as uuidv7 } from 'uuid'
import { Refusal } from '../../platform/contract/refusal.ts'
import { orchestrates, writes } from '../../platform/service/implementation.ts'
import type { OrchestrationScope, WriteScope } from '../../platform/service/scopes.ts'
import { doEach } from './batch.ts'
import type { SampleFields } from './contract.ts'
import { recordSample } from './record-sample.ts'
import { findSample, type SampleItem, showSample } from './sample-rows.ts'
import { requireType } from './types.ts'

interface Accession {
  readonly id?: string | undefined
  readonly sample: SampleFields
  readonly importId?: string | undefined
}

/** A record of a sample that need not be here yet: it is pending, and nobody holds it until it is received or placed. */
export const accession = writes((scope: WriteScope, input: Accession) => accessionOne(scope, input))

export const accessionBatch = orchestrates((scope: OrchestrationScope, input: { rows: SampleFields[] }) =>
  doEach(input.rows, (row, index) =>
    scope.change(String(index), (write) => accessionOne(write, { sample: row })),
  ),
)

async function accessionOne(scope: WriteScope, input: Accession): Promise<SampleItem> {
  const id = input.id ?? uuidv7()
  if (input.id !== undefined && (await findSample(scope.tx, id)) !== null) {
    throw new Refusal('CONFLICT', 'A sample with this id is recorded already. Nothing was changed.', {
      field: 'id',
      existing: id,
    })
  }
  const row = await recordSample(scope, {
    id,
    fields: input.sample,
    type: await requireType(scope.tx, input.sample.type),
    importId: input.importId ?? null,
    validated: false,
    firstVolume: { kind: 'corrected', reason: 'As given at accession' },
  })
  return showSample(scope.tx, row)
}
