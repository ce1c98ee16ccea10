/**
 * The GS1 application identifiers, as facts from GS1's public syntax dictionary, one line per identifier or range:
 *
 *   identifier  marks  components  [key[=qualifiers]]  # title
 *
 * Marks: `f` its length is predefined, so no FNC1 follows; `a` may be an attribute in a Digital Link; `-` neither.
 * Components: `n` digits, `x` character set 82, `y` set 39, `z` base64url; `n6` exactly six, `x..20` one to twenty, `?`
 * may be missing; then the content rules after colons (gs1-content-rules.ts). `key` marks a Digital Link primary key,
 * with its qualifiers in order and alternatives after `|`.
 */

import { contentRuleNames, type ContentRuleName } from './gs1-content-rules.ts'

export type CharacterSet = 'n' | 'x' | 'y' | 'z'

export interface Gs1Component {
  readonly set: CharacterSet
  readonly minimum: number
  readonly maximum: number
  readonly optional: boolean
  readonly rules: readonly ContentRuleName[]
}

export interface Gs1Identifier {
  readonly ai: string
  readonly title: string
  readonly components: readonly Gs1Component[]
  /** Characters of a value whose length GS1 predefines; such a value needs no FNC1 after it. Null for all others. */
  readonly predefinedLength: number | null
  readonly linkAttribute: boolean
  /** Null when it is no Digital Link primary key; else the sequences of qualifiers it may take (maybe none). */
  readonly linkQualifiers: readonly (readonly string[])[] | null
}

const table = `
00 fa n18:check-digit:company-prefix-second key # SSCC
01 fa n14:check-digit:company-prefix-second key=22,10,21|235 # GTIN
02 fa n14:check-digit:company-prefix-second # CONTENT
03 f n14:check-digit:company-prefix-second # MTO GTIN
10 a x..20 # BATCH/LOT
11 fa n6:date-or-month # PROD DATE
12 fa n6:date-or-month # DUE DATE
13 fa n6:date-or-month # PACK DATE
15 fa n6:date-or-month # BEST BEFORE or BEST BY
16 fa n6:date-or-month # SELL BY
17 fa n6:date-or-month # USE BY or EXPIRY
20 fa n2 # VARIANT
21 - x..20 # SERIAL
22 - x..20 # CPV
235 - x..28 # TPX
240 a x..30 # ADDITIONAL ID
241 a x..30 # CUST. PART No.
242 a n..6 # MTO VARIANT
243 a x..20 # PCN
250 a x..30 # SECONDARY SERIAL
251 a x..30 # REF. TO SOURCE
253 a n13:check-digit:company-prefix x..17? key # GDTI
254 - x..20 # GLN EXTENSION COMPONENT
255 a n13:check-digit:company-prefix n..12? key # GCN
30 a n..8 # VAR. COUNT
3100-3105 fa n6 # NET WEIGHT (kg)
3110-3115 fa n6 # LENGTH (m)
3120-3125 fa n6 # WIDTH (m)
3130-3135 fa n6 # HEIGHT (m)
3140-3145 fa n6 # AREA (m²)
3150-3155 fa n6 # NET VOLUME (l)
3160-3165 fa n6 # NET VOLUME (m³)
3200-3205 fa n6 # NET WEIGHT (lb)
3210-3215 fa n6 # LENGTH (in)
3220-3225 fa n6 # LENGTH (ft)
3230-3235 fa n6 # LENGTH (yd)
3240-3245 fa n6 # WIDTH (in)
3250-3255 fa n6 # WIDTH (ft)
3260-3265 fa n6 # WIDTH (yd)
3270-3275 fa n6 # HEIGHT (in)
3280-3285 fa n6 # HEIGHT (ft)
3290-3295 fa n6 # HEIGHT (yd)
3300-3305 fa n6 # GROSS WEIGHT (kg)
3310-3315 fa n6 # LENGTH (m), log
3320-3325 fa n6 # WIDTH (m), log
3330-3335 fa n6 # HEIGHT (m), log
3340-3345 fa n6 # AREA (m²), log
3350-3355 fa n6 # VOLUME (l), log
3360-3365 fa n6 # VOLUME (m³), log
3370-3375 fa n6 # KG PER m²
3400-3405 fa n6 # GROSS WEIGHT (lb)
3410-3415 fa n6 # LENGTH (in), log
3420-3425 fa n6 # LENGTH (ft), log
3430-3435 fa n6 # LENGTH (yd), log
3440-3445 fa n6 # WIDTH (in), log
3450-3455 fa n6 # WIDTH (ft), log
3460-3465 fa n6 # WIDTH (yd), log
3470-3475 fa n6 # HEIGHT (in), log
3480-3485 fa n6 # HEIGHT (ft), log
3490-3495 fa n6 # HEIGHT (yd), log
3500-3505 fa n6 # AREA (in²)
3510-3515 fa n6 # AREA (ft²)
3520-3525 fa n6 # AREA (yd²)
3530-3535 fa n6 # AREA (in²), log
3540-3545 fa n6 # AREA (ft²), log
3550-3555 fa n6 # AREA (yd²), log
3560-3565 fa n6 # NET WEIGHT (tr oz)
3570-3575 fa n6 # NET VOLUME (oz)
3600-3605 fa n6 # NET VOLUME (qt (US))
3610-3615 fa n6 # NET VOLUME (gal.)
3620-3625 fa n6 # VOLUME (qt (US)), log
3630-3635 fa n6 # VOLUME (gal (US)), log
3640-3645 fa n6 # NET VOLUME (in³)
3650-3655 fa n6 # NET VOLUME (ft³)
3660-3665 fa n6 # NET VOLUME (yd³)
3670-3675 fa n6 # VOLUME (in³), log
3680-3685 fa n6 # VOLUME (ft³), log
3690-3695 fa n6 # VOLUME (yd³), log
37 a n..8 # COUNT
3900-3909 a n..15 # AMOUNT
3910-3919 a n3:currency n..15 # AMOUNT
3920-3929 a n..15 # PRICE
3930-3939 a n3:currency n..15 # PRICE
3940-3943 a n4 # PRCNT OFF
3950-3955 a n6 # PRICE/UoM
400 a x..30 # ORDER NUMBER
401 a x..30:company-prefix key # GINC
402 a n17:check-digit:company-prefix key # GSIN
403 a x..30 # ROUTE
410 fa n13:check-digit:company-prefix # SHIP TO LOC
411 fa n13:check-digit:company-prefix # BILL TO
412 fa n13:check-digit:company-prefix # PURCHASE FROM
413 fa n13:check-digit:company-prefix # SHIP FOR LOC
414 fa n13:check-digit:company-prefix key=254|7040 # LOC No.
415 fa n13:check-digit:company-prefix key=8020 # PAY TO
416 fa n13:check-digit:company-prefix # PROD/SERV LOC
417 fa n13:check-digit:company-prefix key=7040 # PARTY
420 a x..20 # SHIP TO POST
421 a n3:country x..9 # SHIP TO POST
422 a n3:country # ORIGIN
423 a n3:country n3?:country n3?:country n3?:country n3?:country # COUNTRY - INITIAL PROCESS
424 a n3:country # COUNTRY - PROCESS
425 a n3:country n3?:country n3?:country n3?:country n3?:country # COUNTRY - DISASSEMBLY
426 a n3:country # COUNTRY - FULL PROCESS
427 a x..3 # ORIGIN SUBDIVISION
4300 a x..35:percent-encoding # SHIP TO COMP
4301 a x..35:percent-encoding # SHIP TO NAME
4302 a x..70:percent-encoding # SHIP TO ADD1
4303 a x..70:percent-encoding # SHIP TO ADD2
4304 a x..70:percent-encoding # SHIP TO SUB
4305 a x..70:percent-encoding # SHIP TO LOC
4306 a x..70:percent-encoding # SHIP TO REG
4307 a x2:country-letters # SHIP TO COUNTRY
4308 a x..30 # SHIP TO PHONE
4309 a n10:latitude n10:longitude # SHIP TO GEO
4310 a x..35:percent-encoding # RTN TO COMP
4311 a x..35:percent-encoding # RTN TO NAME
4312 a x..70:percent-encoding # RTN TO ADD1
4313 a x..70:percent-encoding # RTN TO ADD2
4314 a x..70:percent-encoding # RTN TO SUB
4315 a x..70:percent-encoding # RTN TO LOC
4316 a x..70:percent-encoding # RTN TO REG
4317 a x2:country-letters # RTN TO COUNTRY
4318 a x..20 # RTN TO POST
4319 a x..30 # RTN TO PHONE
4320 a x..35:percent-encoding # SRV DESCRIPTION
4321 a n1:zero-or-one # DANGEROUS GOODS
4322 a n1:zero-or-one # AUTH TO LEAVE
4323 a n1:zero-or-one # SIG REQUIRED
4324 a n6:date-or-month n4:hour-minute # NOT BEF DEL DT
4325 a n6:date-or-month n4:hour-minute # NOT AFT DEL DT
4326 a n6:date # REL DATE
4330 a n6 x1?:hyphens # MAX TEMP F.
4331 a n6 x1?:hyphens # MAX TEMP C.
4332 a n6 x1?:hyphens # MIN TEMP F.
4333 a n6 x1?:hyphens # MIN TEMP C.
7001 a n13 # NSN
7002 a x..30 # MEAT CUT
7003 a n6:date n4:hour-minute # EXPIRY TIME
7004 a n..4 # ACTIVE POTENCY
7005 a x..12 # CATCH AREA
7006 a n6:date # FIRST FREEZE DATE
7007 a n6:date n6?:date # HARVEST DATE
7008 a x..3 # AQUATIC SPECIES
7009 a x..10 # FISHING GEAR TYPE
7010 a x..2 # PROD METHOD
7011 a n6:date n4?:hour-minute # TEST BY DATE
7020 a x..20 # REFURB LOT
7021 a x..20 # FUNC STAT
7022 a x..20 # REV STAT
7023 a x..30:company-prefix # GIAI - ASSEMBLY
7030 a n3:country-or-999 x..27 # PROCESSOR # 0
7031 a n3:country-or-999 x..27 # PROCESSOR # 1
7032 a n3:country-or-999 x..27 # PROCESSOR # 2
7033 a n3:country-or-999 x..27 # PROCESSOR # 3
7034 a n3:country-or-999 x..27 # PROCESSOR # 4
7035 a n3:country-or-999 x..27 # PROCESSOR # 5
7036 a n3:country-or-999 x..27 # PROCESSOR # 6
7037 a n3:country-or-999 x..27 # PROCESSOR # 7
7038 a n3:country-or-999 x..27 # PROCESSOR # 8
7039 a n3:country-or-999 x..27 # PROCESSOR # 9
7040 - n1 x1 x1 x1:importer-index # UIC+EXT
7041 - x..4:package-type # UFRGT UNIT TYPE
710 a x..20 # NHRN PZN
711 a x..20 # NHRN CIP
712 a x..20 # NHRN CN
713 a x..20 # NHRN DRN
714 a x..20 # NHRN AIM
715 a x..20 # NHRN NDC
716 a x..20 # NHRN AIC
717 a x..20 # NHRN SRN
7230 a x2 x..28 # CERT # 1
7231 a x2 x..28 # CERT # 2
7232 a x2 x..28 # CERT # 3
7233 a x2 x..28 # CERT # 4
7234 a x2 x..28 # CERT # 5
7235 a x2 x..28 # CERT # 6
7236 a x2 x..28 # CERT # 7
7237 a x2 x..28 # CERT # 8
7238 a x2 x..28 # CERT # 9
7239 a x2 x..28 # CERT # 10
7240 a x..20 # PROTOCOL
7241 a n2:media-type # AIDC MEDIA TYPE
7242 a x..25 # VCN
7250 a n8:long-date # DOB
7251 a n8:long-date n4:hour-minute # DOB TIME
7252 a n1:sex # BIO SEX
7253 a x..40:percent-encoding # FAMILY NAME
7254 a x..40:percent-encoding # GIVEN NAME
7255 a x..10 # SUFFIX
7256 a x..90:percent-encoding # FULL NAME
7257 a x..70:percent-encoding # PERSON ADDR
7258 a x3:position-of-end # BIRTH SEQUENCE
7259 a x..40:percent-encoding # BABY
8001 a n4:not-zero n5:not-zero n3:not-zero n1:winding n1 # DIMENSIONS
8002 a x..20 # CMT No.
8003 a n1:zero n13:check-digit:company-prefix x..16? key # GRAI
8004 a x..30:company-prefix key=7040 # GIAI
8005 a n6 # PRICE PER UNIT
8006 a n14:check-digit:company-prefix-second n4:piece-of-total key=22,10,21 # ITIP
8007 a x..34:iban # IBAN
8008 a n6:date n2:hour n2?:minute n2?:second # PROD TIME
8009 a x..50 # OPTSEN
8010 a y..30:company-prefix key=8011 # CPID
8011 - n..12:no-leading-zero # CPID SERIAL
8012 a x..20 # VERSION
8013 a x..25:check-pair:company-prefix key # GMN
8014 - x..25:check-pair:company-prefix:not-only-digits # MUDI
8017 a n18:check-digit:company-prefix key=8019 # GSRN - PROVIDER
8018 a n18:check-digit:company-prefix key=8019 # GSRN - RECIPIENT
8019 - n..10 # SRIN
8020 - x..25 # REF No.
8026 a n14:check-digit:company-prefix-second n4:piece-of-total # ITIP CONTENT
8030 a z..90 # DIGSIG
8040 - n15 # IMEI
8041 - n15 # IMEI2
8042 - n32 # ESIM
8043 - n18 n..2? # PSIM
8110 a x..70:coupon
8111 a n4 # POINTS
8112 a x..70:coupon
8200 - x..70 # PRODUCT URL
90 a x..30 # INTERNAL
91-99 a x..90 # INTERNAL
`

/** All identifiers by number. */
export const gs1Identifiers: ReadonlyMap<string, Gs1Identifier> = new Map(
  table
    .trim()
    .split('\n')
    .flatMap(identifiersOfLine)
    .map((identifier) => [identifier.ai, identifier]),
)

/** How many digits an identifier has is fixed by its first two, so unknown ones can be told from their values. */
const identifierLengths: ReadonlyMap<string, number> = new Map(
  [...gs1Identifiers.keys()].map((ai) => [ai.slice(0, 2), ai.length]),
)

/** GS1 predefines these lengths for whole ranges, also for identifiers it has not assigned yet. */
const predefinedLengths: ReadonlyMap<string, number> = new Map(
  [...gs1Identifiers.values()].flatMap(({ ai, predefinedLength }) =>
    predefinedLength === null ? [] : [[ai.slice(0, 2), predefinedLength] as const],
  ),
)

/** The number of digits of identifiers that begin so; undefined when GS1 has assigned none. */
export function identifierLength(text: string): number | undefined {
  return identifierLengths.get(text.slice(0, 2))
}

/**
 * What can be said of an identifier that is not in the table: its value is free, its length maybe predefined. Undefined
 * for one with another number of digits than its beginning calls for.
 */
export function unknownIdentifier(ai: string): Gs1Identifier | undefined {
  if ((identifierLength(ai) ?? ai.length) !== ai.length) return undefined
  const predefinedLength = predefinedLengths.get(ai.slice(0, 2)) ?? null
  const component: Gs1Component = {
    set: predefinedLength === null ? 'x' : 'n',
    minimum: predefinedLength ?? 1,
    maximum: predefinedLength ?? 90,
    optional: false,
    rules: [],
  }
  return {
    ai,
    title: '',
    components: [component],
    predefinedLength,
    linkAttribute: true,
    linkQualifiers: null,
  }
}

function identifiersOfLine(line: string): Gs1Identifier[] {
  const [specification = '', title = ''] = line.split('#')
  const [range = '', marks = '', ...words] = specification.trim().split(' ')
  const key = words.find((word) => /^key(=|$)/.test(word))
  const components = words.filter((word) => word !== key).map(componentOfWord)
  const predefinedLength = components.reduce((sum, component) => sum + component.maximum, 0)
  return numbersOfRange(range).map((ai) => ({
    ai,
    title: title.trim(),
    components,
    predefinedLength: marks.includes('f') ? predefinedLength : null,
    linkAttribute: marks.includes('a'),
    linkQualifiers: key === undefined ? null : qualifiersOfKey(key),
  }))
}

function numbersOfRange(range: string): string[] {
  const [first = '', last = first] = range.split('-')
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, step) =>
    String(Number(first) + step).padStart(first.length, '0'),
  )
}

function qualifiersOfKey(key: string): string[][] {
  const sequences = key.slice('key='.length)
  return sequences === '' ? [] : sequences.split('|').map((sequence) => sequence.split(','))
}

function componentOfWord(word: string): Gs1Component {
  const [format = '', ...rules] = word.split(':')
  const shape = /^([nxyz])(\.\.)?(\d+)(\?)?$/.exec(format)
  if (shape === null) throw new Error(`The table of GS1 identifiers holds the unreadable component ${word}`)
  const [, set, dots, length, mark] = shape
  return {
    set: set as CharacterSet,
    minimum: dots === undefined ? Number(length) : 1,
    maximum: Number(length),
    optional: mark === '?',
    rules: rules.map(contentRuleName),
  }
}

function contentRuleName(text: string): ContentRuleName {
  const name = contentRuleNames.find((known) => known === text)
  if (name === undefined)
    throw new Error(`The table of GS1 identifiers names the unknown content rule ${text}`)
  return name
}
