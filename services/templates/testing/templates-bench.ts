import { Workbook } from '@cj-tech-master/excelts'
import { stringify } from 'csv-stringify/sync'
import { FileStore } from '../../../platform/gateway/file-store.ts'
import type { ServiceDefinition } from '../../../platform/service/implementation.ts'
import { openServiceBench, type ServiceBench } from '../../../platform/service/testing/service-bench.ts'
import { barcodesService } from '../../barcodes/service.ts'
import { samplesService } from '../../samples/service.ts'
import { storageService } from '../../storage/service.ts'
import { templatesService } from '../service.ts'

/** The templates service with all that an import ends in. */
export interface TemplatesBench {
  readonly bench: ServiceBench
  readonly templates: ReturnType<typeof clientOfTemplates>
  readonly samples: ReturnType<typeof clientOfSamples>
  readonly storage: ReturnType<typeof clientOfStorage>
  readonly barcodes: ReturnType<typeof clientOfBarcodes>
  /** Stores a file as the gateway does, and opens it as an import. */
  open(
    bytes: Uint8Array | string,
    fileName?: string,
    more?: { readonly templateId?: string; readonly sheet?: string },
  ): ReturnType<ReturnType<typeof clientOfTemplates>['openImport']>
  store(bytes: Uint8Array | string): Promise<string>
}

/** Opens the services, or stand-ins made of them by `alter`. */
export async function openTemplatesBench(
  alter: (definition: ServiceDefinition) => ServiceDefinition = (definition) => definition,
): Promise<TemplatesBench> {
  const definitions = [
    barcodesService,
    storageService,
    samplesService,
    templatesService,
  ] as unknown as ServiceDefinition[]
  const bench = await openServiceBench(definitions.map(alter))
  const files = new FileStore(bench.home)
  async function store(bytes: Uint8Array | string): Promise<string> {
    const content = new Blob([typeof bytes === 'string' ? bytes : Buffer.from(bytes)])
    return (await files.store(content)).sha256
  }
  return {
    bench,
    templates: clientOfTemplates(bench),
    samples: clientOfSamples(bench),
    storage: clientOfStorage(bench),
    barcodes: clientOfBarcodes(bench),
    store,
    async open(bytes, fileName = 'manifest.csv', more = {}) {
      const fileSha256 = await store(bytes)
      return clientOfTemplates(bench).openImport({ fileSha256, fileName, ...more })
    },
  }
}

/** A comma-separated file. */
export function csv(rows: readonly (readonly string[])[]): string {
  return stringify(rows.map((row) => [...row]))
}

/** An xlsx file with one sheet; its table begins on a row of choice, with a title above. */
export async function xlsx(
  rows: readonly (readonly (string | number)[])[],
  options: { readonly headerRow?: number; readonly sheet?: string } = {},
): Promise<Uint8Array> {
  const workbook = new Workbook()
  const sheet = workbook.addWorksheet(options.sheet ?? 'Manifest')
  const first = options.headerRow ?? 1
  if (first > 1) sheet.getCell('A1').value = 'Clinic 3, shipment of 19 Nov'
  for (const [down, row] of rows.entries()) {
    for (const [across, value] of row.entries()) {
      if (value !== '') sheet.getRow(first + down).getCell(across + 1).value = value
    }
  }
  return new Uint8Array(await workbook.xlsx.writeBuffer())
}

function clientOfTemplates(bench: ServiceBench) {
  return bench.client(templatesService)
}

function clientOfSamples(bench: ServiceBench) {
  return bench.client(samplesService)
}

function clientOfStorage(bench: ServiceBench) {
  return bench.client(storageService)
}

function clientOfBarcodes(bench: ServiceBench) {
  return bench.client(barcodesService)
}
