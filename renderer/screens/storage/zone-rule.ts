import { defaultZoneRules, type StorageNode } from '../../../services/storage/contract.ts'

type ZoneName = NonNullable<StorageNode['zone']>

/**
 * Whether a material may be kept in a zone, by the table that storage refuses by: so that the screen can say it before
 * the tube is placed. Where the zone or the material is not known there is nothing to refuse.
 */
export function isZoneAllowed(material: string | null, zone: ZoneName | null): boolean {
  return material === null || zone === null || allowedZones(material).includes(zone)
}

/** The zones a material may be kept in, the preferred one first; a material without a rule follows `other`. */
export function allowedZones(material: string): readonly ZoneName[] {
  const key = material
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, '_')
  const rules: Readonly<Record<string, readonly ZoneName[]>> = defaultZoneRules
  return (Object.hasOwn(rules, key) ? rules[key] : rules['other']) ?? []
}
