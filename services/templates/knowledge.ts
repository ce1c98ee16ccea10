import type { z } from 'zod'
import type { CallScope } from '../../platform/service/scopes.ts'
import { barcodes, type ScanMeaning } from '../barcodes/contract.ts'
import { type SampleId, samples } from '../samples/contract.ts'
import { type ContainerId, defaultZoneRules, storage } from '../storage/contract.ts'
import type { CodeFacts } from './domain/code-rule.ts'
import type { Knowledge } from './domain/examination.ts'
import { saysNoCode } from './domain/field-value.ts'
import { RecentlyUsed } from './recently-used.ts'

/** Facts younger than this are good enough for showing; before anything is saved they are asked anew. */
const freshMs = 60_000
const codesPerQuestion = 2_000
const thingsPerQuestion = 1_000
const longestCode = 1_000

interface KnownCode {
  readonly facts: CodeFacts
  readonly askedAt: number
}

/** What is known of the codes of each import that is worked on. */
const known = new RecentlyUsed<string, Map<string, KnownCode>>({ most: 4, idleMs: 10 * 60_000 })

/** Asks the other domains what the rows of an import are checked against. `anew` asks about codes even if known. */
export async function askLaboratory(
  scope: CallScope,
  importId: string,
  codes: readonly string[],
  anew: boolean,
): Promise<Knowledge> {
  const types = await scope.service('samples', samples).types()
  return {
    today: localDay(scope.now),
    types: types.map(({ key, name }) => ({ key, name })),
    zones: defaultZoneRules,
    codes: await askAboutCodes(scope, importId, codes, anew),
  }
}

/** The day on the laboratory's wall, not in UTC: what is collected this morning in Auckland was not collected tomorrow. */
export function localDay(instant: string): string {
  const now = new Date(instant)
  const two = (part: number) => String(part).padStart(2, '0')
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`
}

async function askAboutCodes(
  scope: CallScope,
  importId: string,
  codes: readonly string[],
  anew: boolean,
): Promise<ReadonlyMap<string, CodeFacts>> {
  const now = Date.parse(scope.now)
  const before = known.get(importId) ?? new Map<string, KnownCode>()
  const asked = codes.filter((text) => {
    const one = before.get(text)
    return text.length <= longestCode && (anew || one === undefined || now - one.askedAt > freshMs)
  })
  for (let start = 0; start < asked.length; start += codesPerQuestion) {
    const texts = asked.slice(start, start + codesPerQuestion)
    for (const [text, facts] of await resolveCodes(scope, texts)) before.set(text, { facts, askedAt: now })
  }
  known.set(importId, before)
  return new Map(
    codes.flatMap((text) => {
      const one = before.get(text)
      return one === undefined ? [] : [[text, one.facts] as const]
    }),
  )
}

async function resolveCodes(
  scope: CallScope,
  texts: readonly string[],
): Promise<readonly (readonly [string, CodeFacts])[]> {
  const answers = await scope.service('barcodes', barcodes).resolveMany({ texts: [...texts] })
  const things = answers.flatMap(({ match }) => (match === null || match.thing === null ? [] : [match.thing]))
  const words = await describeThings(scope, things)
  return answers.map(({ text, meaning, match }) => {
    const thing = match?.thing ?? null
    const owner = thing === null ? null : (words.get(thing.id) ?? `a ${thing.kind}`)
    return [text, { keys: meaning.lookupKeys, problem: explainNoTube(text, meaning), owner }] as const
  })
}

function explainNoTube(text: string, meaning: z.infer<typeof ScanMeaning>): string | null {
  // The check of the cell says so already.
  if (saysNoCode(text)) return null
  if (meaning.kind === 'refused' || meaning.kind === 'no-tube')
    return lower(meaning.remark ?? 'it is no code')
  if (meaning.kind === 'own-position') return 'it is the label of a position in a box'
  if (meaning.ownKind !== null && meaning.ownKind !== 'sample')
    return `it is the code of a ${meaning.ownKind}`
  return null
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1).replace(/\.$/, '')
}

/** Samples and tubes by name, with where they are. */
async function describeThings(
  scope: CallScope,
  things: readonly { readonly kind: string; readonly id: string }[],
): Promise<ReadonlyMap<string, string>> {
  const ids = (kind: string) => things.filter((thing) => thing.kind === kind).map(({ id }) => id)
  const containers = new Map<string, { readonly sampleId: string | null; readonly words: string }>()
  for (const part of cut(ids('container'), thingsPerQuestion)) {
    const containerIds = part as z.infer<typeof ContainerId>[]
    for (const found of await scope.service('storage', storage).locate({ sampleIds: [], containerIds })) {
      const where = found.place === null ? '' : `, ${found.place}`
      containers.set(found.containerId, { sampleId: found.sampleId, words: where })
    }
  }
  const inside = [...containers.values()].flatMap(({ sampleId }) => (sampleId === null ? [] : [sampleId]))
  const names = new Map<string, string>()
  for (const part of cut([...new Set([...ids('sample'), ...inside])], thingsPerQuestion)) {
    const found = await scope.service('samples', samples).getMany({ ids: part as z.infer<typeof SampleId>[] })
    for (const sample of found) names.set(sample.id, `sample “${sample.name}”`)
  }
  const words = new Map(names)
  for (const [id, { sampleId, words: where }] of containers) {
    words.set(
      id,
      `${(sampleId === null ? undefined : names.get(sampleId)) ?? 'a tube without a sample'}${where}`,
    )
  }
  return words
}

function cut<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
