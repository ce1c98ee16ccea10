import { z } from 'zod'
import { event } from '../../platform/contract/event.ts'
import { command, domainContract, query } from '../../platform/contract/procedure.ts'
import { TravellingRows } from '../../platform/contract/travelling-rows.ts'
import {
  id,
  Instant,
  listInput,
  page,
  Reason,
  requiredText,
  Revision,
  text,
} from '../../platform/contract/values.ts'

export const CodeId = id('CodeId')

/** What a code may point at. The id is that of the owning domain. */
export const Thing = z.object({
  kind: z.enum(['sample', 'container', 'storage-node', 'position', 'user', 'library', 'pool', 'reagent']),
  id: text(200).min(1),
})
export type Thing = z.infer<typeof Thing>

/** Kinds of thing that get a code of our own, each with its prefix. */
export const CodeKind = z.enum([
  'sample',
  'box',
  'plate',
  'rack',
  'shelf',
  'freezer',
  'library',
  'pool',
  'reagent',
])

export const CodeSource = z.enum(['own', 'preprinted', 'external'])

export const Code = z.object({
  id: CodeId,
  /** As printed. */
  text: z.string(),
  source: CodeSource,
  thing: Thing.nullable(),
  state: z.enum(['allocated', 'linked', 'released']),
  createdAt: Instant,
  revision: Revision,
})
export type Code = z.infer<typeof Code>

/** What a scanned text is, before anything is looked up. */
export const ScanMeaning = z.object({
  kind: z.enum([
    'own-code',
    'own-position',
    'gs1',
    'hibc',
    'index-sequence',
    'no-tube',
    'external',
    'refused',
  ]),
  /** The text without symbology prefix and control characters, as a person would read it. */
  readable: z.string(),
  symbology: z.string().nullable(),
  /** Canonical keys under which the code may be known, best first. */
  lookupKeys: z.array(z.string()),
  /** GS1 and HIBC elements, in order. */
  elements: z.array(z.object({ key: z.string(), title: z.string(), value: z.string() })),
  /** For our own codes: what kind of thing the prefix names; for positions, box code and label. */
  ownKind: CodeKind.nullable(),
  position: z.object({ boxCode: z.string(), label: z.string() }).nullable(),
  /** In words: what is wrong, or what to be careful about. */
  remark: z.string().nullable(),
})
export type ScanMeaning = z.infer<typeof ScanMeaning>

const codeErrors = {
  CODE_TAKEN: {
    status: 409,
    message: 'This code belongs to something else already',
    data: z.object({ code: z.string(), thing: Thing }),
  },
  INDEX_SEQUENCE: {
    status: 422,
    message: 'This reads like an index sequence, not like a tube: confirm it if it really is a tube id',
    data: z.object({ code: z.string() }),
  },
  NOT_A_CODE: {
    status: 422,
    message: 'This cannot be a code',
    data: z.object({ code: z.string(), why: z.string() }),
  },
} as const

/** What other parts of the system may ask of the barcodes domain: which code is which thing. */
const shipping = { permission: 'public', internal: true } as const
const Shipped = z.object({ things: z.array(Thing).max(500) })

export const barcodes = domainContract('barcodes', {
  resolve: query({
    permission: 'barcodes:read',
    scan: true,
    summary: 'What a scanned or typed code is and belongs to',
  })
    .input(z.object({ text: z.string().min(1).max(1_000) }))
    .output(z.object({ meaning: ScanMeaning, matches: z.array(Code) })),
  resolveMany: query({
    permission: 'barcodes:read',
    internal: true,
    summary: 'What many codes belong to, in their order',
  })
    .input(z.object({ texts: z.array(z.string().max(1_000)).max(2_000) }))
    .output(z.array(z.object({ text: z.string(), meaning: ScanMeaning, match: Code.nullable() }))),
  codesOf: query({ permission: 'barcodes:read', summary: 'The codes of one thing' })
    .input(Thing)
    .output(z.array(Code)),
  codesOfMany: query({ permission: 'barcodes:read', internal: true, summary: 'The codes of many things' })
    .input(z.object({ things: z.array(Thing).max(2_000) }))
    .output(z.array(Code)),
  list: query({ permission: 'barcodes:read', path: '/', summary: 'All codes' })
    .input(
      z.object({
        ...listInput,
        sort: z.enum(['text', '-text', 'createdAt', '-createdAt']).default('-createdAt'),
        source: CodeSource.optional(),
        search: text(200).optional(),
      }),
    )
    .output(page(Code)),
  allocate: command({
    permission: 'barcodes:allocate',
    summary: 'New codes of our own, never given out twice',
    // Ten thousand are ten change sets; a busy machine may take its time.
    deadlineMs: 60_000,
  })
    .input(z.object({ kind: CodeKind, count: z.number().int().min(1).max(10_000).default(1) }))
    .output(z.object({ codes: z.array(z.string()) })),
  link: command({ permission: 'barcodes:link', scan: true, summary: 'Say which thing a code belongs to' })
    .errors(codeErrors)
    .input(
      z.object({
        text: requiredText(200),
        thing: Thing,
        /** The person looked: the index-like text really is a tube id. */
        confirmed: z.boolean().default(false),
      }),
    )
    .output(Code),
  allocateFor: command({
    permission: 'barcodes:link',
    summary: 'Allocate one code of our own and link it at once',
  })
    .input(z.object({ kind: CodeKind, thing: Thing }))
    .output(Code),
  unlink: command({ permission: 'barcodes:link', summary: 'Take a code off its thing' })
    .input(z.object({ codeId: CodeId, reason: Reason }))
    .output(Code),
  validate: query({
    permission: 'barcodes:read',
    summary: 'Whether a code is well formed, and which check failed',
  })
    .input(z.object({ text: z.string().min(1).max(1_000) }))
    .output(ScanMeaning),
  statistics: query({
    permission: 'barcodes:read',
    summary: 'How many codes there are by source and state',
  }).output(
    z.object({
      workstationPart: z.string(),
      counts: z.array(z.object({ source: CodeSource, state: z.string(), count: z.number().int() })),
    }),
  ),

  // Asked by the Hub's shipments alone.
  shippingCheck: query({
    ...shipping,
    largeInput: true,
    summary: 'The codes of things, and what keeps these',
  })
    .input(Shipped)
    .output(z.array(z.object({ thing: Thing, text: z.string(), words: z.string().nullable() }))),
  shippingRecord: command({ ...shipping, summary: 'The codes of things, as they are written' })
    .input(Shipped)
    .output(z.object({ rows: TravellingRows })),
  land: command({ ...shipping, summary: 'Write the codes of things that arrived from another laboratory' })
    .input(z.object({ rows: TravellingRows }))
    .output(z.object({})),
})

export const barcodesEvents = {
  CodeLinked: event('CodeLinked', z.object({ code: z.string(), thing: Thing })),
  CodeUnlinked: event('CodeUnlinked', z.object({ code: z.string(), thing: Thing, reason: z.string() })),
}
