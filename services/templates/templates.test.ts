import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TemplateField as ShownField } from './contract.ts'
import { TemplateField as ContractField } from './contract.ts'
import { sampleManifest } from './domain/sample-manifest.ts'
import { Template } from './domain/template.ts'
import { readField, showField } from './template-fields.ts'
import { csv, openTemplatesBench, type TemplatesBench } from './testing/templates-bench.ts'

let on: TemplatesBench
beforeAll(async () => {
  on = await openTemplatesBench()
})
afterAll(() => on.bench.close())

/** A field as a person enters it; what is not said takes its default. */
function field(said: Partial<ShownField> & Pick<ShownField, 'key' | 'kind'>): ShownField {
  return ContractField.parse({ label: said.key, ...said })
}

const fields = [
  field({ key: 'clientSampleId', kind: 'text', required: true, unique: true, maximumLength: 20 }),
  field({
    key: 'sampleType',
    kind: 'select',
    label: 'Material',
    required: true,
    options: [
      { value: 'dna', label: 'DNA', synonyms: ['gDNA'] },
      { value: 'rna', synonyms: [] },
    ],
  }),
  field({ key: 'volumeUl', kind: 'number', label: 'Volume', unit: 'µL', minimum: '0', maximum: '500' }),
  field({
    key: 'kit',
    kind: 'text',
    pattern: '[A-Z]{2}[0-9]{4}',
    patternMeans: 'two letters and four digits',
    rules: [{ rule: 'required', when: { field: 'sampleType', is: ['rna'] }, severity: 'confirm' }],
  }),
]

describe('fields', () => {
  it('lose nothing on their way to the contract and back', () => {
    const template = {
      ...sampleManifest,
      fields: [
        ...sampleManifest.fields,
        ...Template.parse({ name: 'Own', fields: fields.map(readField) }).fields.slice(3),
      ],
    }
    for (const one of template.fields) {
      const shown = ContractField.parse(showField(one))
      const [back] = Template.parse({
        name: 'x',
        fields: [...sampleManifest.fields.filter(({ key }) => key !== one.key), readField(shown)],
      }).fields.slice(-1)
      const byRule = (rules: typeof one.rules) => rules.map((rule) => JSON.stringify(rule)).toSorted()
      expect({ ...back, rules: byRule(back?.rules ?? []) }).toEqual({ ...one, rules: byRule(one.rules) })
    }
  })
})

describe('a template', () => {
  it('goes from draft to archive, and its published versions never change', async () => {
    const { templates } = on
    const draft = await templates.createDraft({ name: 'Clinic 3', fields, identity: ['clientSampleId'] })
    expect(draft).toMatchObject({ name: 'Clinic 3', version: 1, state: 'draft', builtIn: false })
    expect(draft.fields).toMatchObject(fields.map(({ key, kind, required }) => ({ key, kind, required })))
    const { id, revision } = draft
    const more = [...draft.fields, field({ key: 'ward', kind: 'text' })]
    const changed = await templates.updateDraft({ id, revision, fields: more, description: 'Their own form' })
    expect(changed.fields).toHaveLength(5)
    await expect(templates.updateDraft({ id, revision, name: 'Other' })).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    const published = await templates.changeState({ id, to: 'published' })
    expect(published).toMatchObject({ state: 'published', publishedAt: expect.any(String) as string })
    await expect(
      templates.updateDraft({ id, revision: published.revision, name: 'Other' }),
    ).rejects.toMatchObject({ code: 'RULE_BROKEN', data: { rule: 'published_is_fixed' } })
    const next = await templates.createDraft({ name: 'Clinic 3', fromId: id })
    expect(next).toMatchObject({
      version: 2,
      state: 'draft',
      description: 'Their own form',
      fields: changed.fields,
    })
    await expect(templates.changeState({ id, to: 'archived' })).rejects.toMatchObject({
      code: 'RULE_BROKEN',
      data: { rule: 'template_state', allowed: ['deprecated'] },
    })
    await templates.changeState({ id, to: 'deprecated' })
    await expect(on.open('Client ID,Material\na,DNA\n', 'x.csv', { templateId: id })).rejects.toMatchObject({
      data: { rule: 'template_state' },
    })
    expect(await templates.changeState({ id, to: 'archived' })).toMatchObject({ state: 'archived' })
    expect(await templates.get({ id })).toMatchObject({ state: 'archived' })
  })

  it('is refused with the field and the reason', async () => {
    const { templates } = on
    const create = (own: readonly ShownField[]) => templates.createDraft({ name: 'Faulty', fields: [...own] })
    const refused = (work: Promise<unknown>, named: string, words: RegExp) =>
      expect(work).rejects.toMatchObject({
        code: 'RULE_BROKEN',
        message: expect.stringMatching(words) as string,
        data: { field: named },
      })
    await refused(
      create([field({ key: 'volumeUl', kind: 'number', unit: 'cups' })]),
      'volumeUl',
      /Not a known unit/,
    )
    await refused(create([field({ key: 'kit', kind: 'text', pattern: '(a+)+$(' })]), 'kit', /kit/)
    const publish = async (own: readonly ShownField[]) =>
      templates.changeState({ id: (await create(own)).id, to: 'published' })
    await refused(publish([field({ key: 'clientSampleId', kind: 'text' })]), 'sampleType', /needs a type/)
    const type = field({ key: 'sampleType', kind: 'select', options: [{ value: 'dna', synonyms: [] }] })
    await refused(publish([type]), 'clientSampleId', /needs a name/)
    const litres = field({ key: 'volumeUl', kind: 'number', unit: 'mL' })
    await refused(
      publish([type, field({ key: 'barcode', kind: 'barcode' }), litres]),
      'volumeUl',
      /µL, not in mL/,
    )
  })

  it('of the laboratory is taken for the files it fits best', async () => {
    const { templates } = on
    const { id } = await templates.createDraft({
      name: 'Wards',
      fields: [...fields, field({ key: 'ward', kind: 'text', label: 'Ward' })],
      identity: ['clientSampleId'],
    })
    await templates.changeState({ id, to: 'published' })
    const sheet = csv([
      ['clientSampleId', 'Material', 'Volume', 'kit', 'Ward'],
      ['W-1', 'gDNA', '12.50', 'AB1234', 'North'],
      ['W-2', 'rna', '501', '', 'South'],
    ])
    const opened = await on.open(sheet, 'wards.csv')
    expect(opened).toMatchObject({ templateId: id, summary: { rows: 2, good: 1, withErrors: 1 } })
    await templates.applyImport({ id: opened.id })
    const { items } = await on.samples.list({ importId: opened.id })
    expect(items).toMatchObject([
      { name: 'W-1', type: 'dna', volumeUl: '12.5', extra: { kit: 'AB1234', Ward: 'North' } },
    ])
    expect(
      await on.open(
        csv([
          ['Barcode', 'Type', 'Donor', 'Well'],
          ['W-3', 'DNA', 'P', ''],
        ]),
      ),
    ).not.toMatchObject({ templateId: id })
  })

  it('is listed by name and state, each laboratory its own', async () => {
    const { items } = await on.templates.list({ state: 'published' })
    expect(items.map(({ name, builtIn }) => [name, builtIn])).toEqual([
      ['Sample manifest', true],
      ['Wards', false],
    ])
    const stranger = { ...on.bench.actor, laboratoryId: uuidv7() }
    expect((await on.templates.list({}, { context: { actor: stranger } })).items).toEqual([])
    const first = await on.templates.list({ limit: 1 })
    const second = await on.templates.list({ limit: 1, cursor: first.nextCursor ?? '' })
    expect([first.items[0]?.name, second.items[0]?.name]).toEqual(['Clinic 3', 'Clinic 3'])
  })
})

it('writes no defect into the log', () => {
  expect(on.bench.logs).toEqual([])
})
