import type { Template, TemplateField } from './template.ts'

/** Fields that fill a sample must mean what the sample means by them: the kind, and for amounts the unit. */
const meanings: Readonly<
  Record<string, { readonly kinds: readonly TemplateField['kind'][]; readonly unit?: string }>
> = {
  sampleType: { kinds: ['select'] },
  collectedOn: { kinds: ['date'] },
  volumeUl: { kinds: ['number'], unit: 'µL' },
  concentrationNgPerUl: { kinds: ['number'], unit: 'ng/µL' },
}

/** Why the rows of a template could not become samples, naming the field; null when they can. */
export function findPublishingProblem(
  template: Pick<Template, 'fields'>,
): { readonly field: string; readonly message: string } | null {
  const fields = new Map(template.fields.map((field) => [field.key, field]))
  if (!fields.has('sampleType')) {
    return {
      field: 'sampleType',
      message: 'A sample needs a type: add a list field with the key sampleType.',
    }
  }
  if (!['barcode', 'clientSampleId', 'sampleName'].some((key) => fields.has(key))) {
    return {
      field: 'clientSampleId',
      message: 'A sample needs a name: add a field with the key clientSampleId, sampleName or barcode.',
    }
  }
  for (const [key, { kinds, unit }] of Object.entries(meanings)) {
    const field = fields.get(key)
    if (field === undefined) continue
    if (!kinds.includes(field.kind)) {
      return {
        field: key,
        message: `The field ${key} must be of the kind ${kinds.join(' or ')}, not ${field.kind}.`,
      }
    }
    if (field.kind === 'number' && field.unit !== unit) {
      return {
        field: key,
        message: `The field ${key} is kept in ${unit ?? 'no unit'}, not in ${field.unit ?? 'no unit'}.`,
      }
    }
  }
  return null
}
