import { defaultZoneRules, type StorageNode } from '../../../services/storage/contract.ts'

type ZoneName = NonNullable<StorageNode['zone']>

/**
 * Whether a material may be kept in a zone, by the table that storage refuses by: so that the screen can say it before
 * the tube is placed. Where the zone or the material is not known there is nothing to refuse.
 */
export function isZoneAllowed(material: string | null, zone: ZoneName | null): boolean {
  if (material === null || zone === null) return true
  const key = material
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, '_')
  const rules: Readonly<Record<string, readonly ZoneName[]>> = defaultZoneRules
  const allowed = (Object.hasOwn(rules, key) ? rules[key] : rules['other']) ?? []
  return allowed.includes(zone)
}
