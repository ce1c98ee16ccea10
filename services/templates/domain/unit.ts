import { Decimal } from 'decimal.js'

/** Units a sheet may use, in our spelling, grouped by what can be converted exactly by a factor. */
const UNIT_FACTORS: Readonly<Record<string, { readonly dimension: string; readonly factor: string }>> = {
  L: { dimension: 'volume', factor: '1000000' },
  mL: { dimension: 'volume', factor: '1000' },
  µL: { dimension: 'volume', factor: '1' },
  nL: { dimension: 'volume', factor: '0.001' },
  g: { dimension: 'mass', factor: '1000000000' },
  mg: { dimension: 'mass', factor: '1000000' },
  µg: { dimension: 'mass', factor: '1000' },
  ng: { dimension: 'mass', factor: '1' },
  pg: { dimension: 'mass', factor: '0.001' },
  'mg/mL': { dimension: 'mass concentration', factor: '1000' },
  'µg/µL': { dimension: 'mass concentration', factor: '1000' },
  'µg/mL': { dimension: 'mass concentration', factor: '1' },
  'ng/µL': { dimension: 'mass concentration', factor: '1' },
  'ng/mL': { dimension: 'mass concentration', factor: '0.001' },
  'pg/µL': { dimension: 'mass concentration', factor: '0.001' },
  mM: { dimension: 'molarity', factor: '1000000' },
  µM: { dimension: 'molarity', factor: '1000' },
  nM: { dimension: 'molarity', factor: '1' },
  pM: { dimension: 'molarity', factor: '0.001' },
  bp: { dimension: 'length', factor: '1' },
  kb: { dimension: 'length', factor: '1000' },
  kbp: { dimension: 'length', factor: '1000' },
  '°C': { dimension: 'temperature', factor: '1' },
  '%': { dimension: 'share', factor: '1' },
}

/** Spellings that are not just another case or another micro sign. */
const SPELLINGS: Readonly<Record<string, string>> = {
  microlitre: 'µL',
  microliter: 'µL',
  microlitres: 'µL',
  microliters: 'µL',
  millilitre: 'mL',
  milliliter: 'mL',
  mcl: 'µL',
  mcg: 'µg',
  c: '°C',
  degc: '°C',
}

const UNITS_BY_FOLDED_NAME: ReadonlyMap<string, readonly string[]> = Map.groupBy(
  Object.keys(UNIT_FACTORS),
  (unit) => foldUnit(unit),
)

/**
 * The unit a text names, in our spelling, or null. Both micro signs, `u` for micro and any case are understood,
 * except where case is the meaning: `mM` is no `MM`, so molarities keep their capital M.
 */
export function readUnit(text: string): string | null {
  const bare = text.normalize('NFKC').trim()
  const micro = bare.replaceAll('μ', 'µ')
  if (Object.hasOwn(UNIT_FACTORS, micro)) return micro
  const folded = foldUnit(bare)
  if (Object.hasOwn(SPELLINGS, folded)) return SPELLINGS[folded] ?? null
  const candidates = UNITS_BY_FOLDED_NAME.get(folded) ?? []
  return candidates.length === 1 && isSafeCase(bare) ? (candidates[0] ?? null) : null
}

function isSafeCase(text: string): boolean {
  return !/^[munp\u03bc]m$/i.test(text) || text.endsWith('M')
}

function foldUnit(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('μ', 'u')
    .replace(/\s*(per|[/_·])\s*/g, '/')
    .replace(/[\s°.]/g, '')
}

/** Converts an exact decimal between units of one dimension; null when they measure different things. */
export function convertUnit(amount: string, from: string, to: string): string | null {
  const source = UNIT_FACTORS[from]
  const target = UNIT_FACTORS[to]
  if (source === undefined || target === undefined || source.dimension !== target.dimension) return null
  return new Decimal(amount).times(source.factor).dividedBy(target.factor).toFixed()
}
