import { Decimal } from 'decimal.js'
import { accept, type Decision, refuse } from './decision.ts'

export type ZoneName = 'minus_80' | 'minus_20' | 'plus_4' | 'room' | 'plus_37' | 'ln2_vapour'

interface ZoneRange {
  /** How people write it; a temperature needs no translation. */
  readonly label: string
  /** Null: as cold as it gets. Both limits belong to the range. */
  readonly minimumCelsius: string | null
  readonly maximumCelsius: string
}

/** The temperature zones of a laboratory and what a probe in them may show. */
export const zones = {
  minus_80: { label: '−80 °C', minimumCelsius: '-85', maximumCelsius: '-75' },
  minus_20: { label: '−20 °C', minimumCelsius: '-25', maximumCelsius: '-15' },
  plus_4: { label: '4 °C', minimumCelsius: '2', maximumCelsius: '8' },
  room: { label: 'room temperature', minimumCelsius: '18', maximumCelsius: '25' },
  plus_37: { label: '37 °C', minimumCelsius: '35', maximumCelsius: '39' },
  ln2_vapour: { label: 'LN₂ vapour', minimumCelsius: null, maximumCelsius: '-150' },
} as const satisfies Record<ZoneName, ZoneRange>

export const zoneNames = [
  'minus_80',
  'minus_20',
  'plus_4',
  'room',
  'plus_37',
  'ln2_vapour',
] as const satisfies readonly ZoneName[]

/** For a material (its key in lower case, words joined by `_`) the zones it may be stored in. */
export type ZoneRules = Readonly<Record<string, readonly ZoneName[]>>

/** What a material without a rule of its own follows. */
const fallbackMaterial = 'other'

/**
 * Where materials may be stored unless the laboratory says otherwise: places where the material keeps for the length
 * of a project. Short stays elsewhere (a gel, a courier) are what check-out and the override are for.
 */
export const defaultZoneRules: ZoneRules = {
  dna: ['minus_80', 'minus_20', 'plus_4', 'ln2_vapour'],
  // RNases work at −20 °C, slowly.
  rna: ['minus_80', 'ln2_vapour'],
  protein: ['minus_80', 'minus_20', 'plus_4', 'ln2_vapour'],
  // Frozen stocks, or growing.
  cell_culture: ['ln2_vapour', 'minus_80', 'plus_37'],
  // Snap-frozen, or fixed and embedded. At −20 °C it freezes slowly and ice crystals break the cells.
  tissue: ['minus_80', 'ln2_vapour', 'room'],
  blood: ['minus_80', 'minus_20', 'plus_4'],
  serum: ['minus_80', 'minus_20', 'ln2_vapour'],
  plasma: ['minus_80', 'minus_20', 'ln2_vapour'],
  urine: ['minus_80', 'minus_20', 'plus_4'],
  // Collection kits for saliva and swabs hold a stabiliser that keeps at room temperature.
  saliva: ['minus_80', 'minus_20', 'plus_4', 'room'],
  swab: ['minus_80', 'minus_20', 'plus_4', 'room'],
  environmental: ['minus_80', 'minus_20', 'plus_4', 'room', 'ln2_vapour'],
  // Nobody knows what it is, so only the incubator is refused.
  other: ['minus_80', 'minus_20', 'plus_4', 'room', 'ln2_vapour'],
}

/**
 * Decides whether a material may be stored in a zone; the refusal's `allowed` lists the zones that are right. Unknown
 * materials follow `other`; where the zone or the material is not known (null) there is nothing to refuse. Whether a
 * refusal may be overridden (a reason, a permission) is the caller's decision.
 */
export function decideZone(
  material: string | null,
  zone: ZoneName | null,
  rules: ZoneRules = defaultZoneRules,
): Decision<{ readonly zone: ZoneName | null }> {
  if (material === null || zone === null) return accept({ zone })
  const allowed = allowedZones(material, rules)
  if (allowed.includes(zone)) return accept({ zone })
  const places = allowed.map((name) => zones[name].label).join(', ')
  return refuse(
    'zone_not_allowed',
    `${material} may not be stored at ${zones[zone].label}. Allowed: ${places || 'nowhere'}.`,
    allowed,
  )
}

/** The zones a material may be stored in, the preferred one first. */
export function allowedZones(material: string, rules: ZoneRules = defaultZoneRules): readonly ZoneName[] {
  const key = material
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, '_')
  return (Object.hasOwn(rules, key) ? rules[key] : rules[fallbackMaterial]) ?? []
}

/** Judges a probe's reading, a decimal in °C, against the range of its zone. Anything but `within` is an excursion. */
export function judgeTemperature(zone: ZoneName, celsius: string): 'within' | 'too_cold' | 'too_warm' {
  const { minimumCelsius, maximumCelsius }: ZoneRange = zones[zone]
  const reading = new Decimal(celsius)
  if (reading.greaterThan(maximumCelsius)) return 'too_warm'
  return minimumCelsius !== null && reading.lessThan(minimumCelsius) ? 'too_cold' : 'within'
}
