import type { AnyContractProcedure } from '@orpc/contract'
import { expect, test } from 'vitest'
import type { ProcedureMeta } from '../../../platform/contract/procedure.ts'
import { auth, authEvents } from '../../../services/auth/contract.ts'
import { barcodes, barcodesEvents } from '../../../services/barcodes/contract.ts'
import { samples, samplesEvents } from '../../../services/samples/contract.ts'
import { storage, storageEvents } from '../../../services/storage/contract.ts'
import { templates, templatesEvents } from '../../../services/templates/contract.ts'
import { i18n } from '../../i18n.ts'
import { entryWords, eventWords } from './entry-words.ts'

const t = i18n.getFixedT(null, 'audit')
const change = { kind: 'change', eventNames: [], reason: null, procedure: null } as const
const contracts: Readonly<Record<string, Readonly<Record<string, AnyContractProcedure>>>> = {
  auth,
  barcodes,
  samples,
  storage,
  templates,
}

test('every command has words, and so has every event', () => {
  const commands = Object.entries(contracts).flatMap(([domain, procedures]) =>
    Object.entries(procedures)
      .filter(([, { '~orpc': definition }]) => (definition.meta as ProcedureMeta).kind === 'command')
      .map(([name]) => `${domain}.${name}`),
  )
  const without = commands.filter((procedure) => entryWords({ ...change, procedure }, t) === t('kind.change'))
  expect(without).toEqual([])
  const events = [authEvents, barcodesEvents, samplesEvents, storageEvents, templatesEvents].flatMap((each) =>
    Object.keys(each),
  )
  expect(events.filter((name) => eventWords(name, t) === name)).toEqual([])
})

test('an entry is told by its events, else by what it follows from, else by its command', () => {
  const procedure = 'samples.update'
  expect(entryWords({ ...change, procedure, eventNames: ['SampleAccessioned', 'CodeLinked'] }, t)).toBe(
    'Sample recorded, Code linked',
  )
  expect(entryWords({ ...change, procedure, reason: 'ContainerPlaced' }, t)).toBe('Follows: Tube placed')
  expect(entryWords({ ...change, procedure, reason: 'The label was wrong' }, t)).toBe('Sample changed')
  expect(entryWords({ ...change, procedure: 'cooking.boil' }, t)).toBe('Change')
  expect(entryWords({ ...change, kind: 'gap' }, t)).toBe('Gap')
})
