import { sql } from 'drizzle-orm'
import type { DomainDatabase } from '../platform/database/domain-database.ts'
import { openServiceBench, type ServiceBench } from '../platform/service/testing/service-bench.ts'
import { normaliseForLookup } from '../services/barcodes/domain/classify.ts'
import { formatOwnCode, isWorkstationPart } from '../services/barcodes/domain/own-code.ts'
import { barcodesService } from '../services/barcodes/service.ts'
import { samplesService } from '../services/samples/service.ts'
import { fillWithSamples, sampleId } from '../services/samples/testing/many-samples.ts'

/** Samples and barcodes of a laboratory that has worked for years. */
export interface FilledLaboratory {
  readonly bench: ServiceBench
  readonly size: number
  /** What is printed on the tube of a sample: every third one came with a code of its sender's. */
  readonly codeOf: (number: number) => string
  close(): Promise<void>
}

const part = '7K2M'
const rowsPerTransaction = 10_000
const fillingChangeSet = '00000000-0000-7000-9000-000000000000'

/** Opens both services and lets their databases fill themselves, with as many samples as asked for and a code for each. */
export async function openFilledLaboratory(size: number): Promise<FilledLaboratory> {
  const bench = await openServiceBench([barcodesService, samplesService])
  const laboratoryId = bench.actor.laboratoryId
  try {
    await fillWithSamples(bench.database('samples'), laboratoryId, size)
    await fillWithCodes(bench.database('barcodes'), laboratoryId, size)
  } catch (error) {
    await bench.close()
    throw error
  }
  return { bench, size, codeOf: codeOfSample, close: () => bench.close() }
}

/** What is printed on the tube of a sample with a number. */
export function codeOfSample(number: number): string {
  if (number % 3 === 0) return `CLINIC/${String(number).padStart(8, '0')}`
  if (!isWorkstationPart(part)) throw new Error(`${part} is no workstation part`)
  return formatOwnCode('sampleTube', part, number).text
}

/** Gives each sample of a laboratory the code that {@link FilledLaboratory.codeOf} says, linked to its tube. */
export async function fillWithCodes(
  database: Pick<DomainDatabase, 'asOwner'>,
  laboratoryId: string,
  size: number,
): Promise<void> {
  // These rows are no change set that a journal should hear of.
  await database.asOwner((tx) => tx.execute(sql`alter table code disable trigger capture_change`))
  for (let from = 1; from <= size; from += rowsPerTransaction) {
    const rows = Array.from({ length: Math.min(rowsPerTransaction, size - from + 1) }, (_, index) =>
      describeCode(from + index),
    )
    await database.asOwner(async (tx) => {
      await tx.execute(sql`select set_config('tracseq.change_set_id', ${fillingChangeSet}, true)`)
      await tx.execute(sql`insert into code (laboratory_id, id, text, lookup_key, source, state, thing_kind, thing_id,
          workstation_part, counter, created_at, created_by)
        select ${laboratoryId}::uuid, id::uuid, text, key, case when own then 'own' else 'external' end, 'linked', 'container',
          id, case when own then ${part} end, case when own then number end,
          '2026-01-01T00:00:00Z'::timestamptz + number * interval '1 second', 'bench'
        from json_to_recordset(${JSON.stringify(rows)}::json) as given (number int, id text, text text, key text, own boolean)`)
    })
    await database.asOwner((tx) => tx.execute(sql`checkpoint`))
  }
  await database.asOwner((tx) => tx.execute(sql`alter table code enable always trigger capture_change`))
  await database.asOwner((tx) => tx.execute(sql`analyze code`))
}

function describeCode(number: number) {
  const text = codeOfSample(number)
  const keys = normaliseForLookup(text)
  if (!keys.ok) throw new Error(`${text} cannot be looked up: ${keys.problem}`)
  return { number, id: sampleId(number), text, key: keys.value[0].key, own: number % 3 !== 0 }
}
