import { describe, expect, it } from 'vitest'
import { allowedZones, decideZone, defaultZoneRules, judgeTemperature, zoneNames, zones } from './zone.ts'

describe('zones', () => {
  it('are all listed', () => {
    expect([...zoneNames].sort()).toEqual(Object.keys(zones).sort())
  })

  it.each([
    ['minus_80', '-85', 'within'],
    ['minus_80', '-75', 'within'],
    ['minus_80', '-74.9', 'too_warm'],
    ['minus_80', '-85.1', 'too_cold'],
    ['minus_20', '-14.99', 'too_warm'],
    ['plus_4', '1.9', 'too_cold'],
    ['plus_4', '8.0', 'within'],
    ['room', '25.1', 'too_warm'],
    ['plus_37', '34.9', 'too_cold'],
    ['ln2_vapour', '-196', 'within'],
    ['ln2_vapour', '-150', 'within'],
    ['ln2_vapour', '-149.9', 'too_warm'],
  ] as const)('judge %s at %s °C as %s', (zone, celsius, verdict) => {
    expect(judgeTemperature(zone, celsius)).toBe(verdict)
  })
})

describe('what may be stored where', () => {
  it('keeps RNA at −80 °C or colder', () => {
    expect(zoneNames.filter((zone) => decideZone('RNA', zone).ok)).toEqual(['minus_80', 'ln2_vapour'])
    expect(decideZone('RNA', 'minus_20')).toEqual({
      ok: false,
      refusal: {
        rule: 'zone_not_allowed',
        message: 'RNA may not be stored at −20 °C. Allowed: −80 °C, LN₂ vapour.',
        allowed: ['minus_80', 'ln2_vapour'],
      },
    })
  })

  it('has a rule for every material with at least one place that keeps it', () => {
    expect(Object.keys(defaultZoneRules)).toHaveLength(13)
    for (const [material, allowed] of Object.entries(defaultZoneRules)) {
      expect(allowed.length, material).toBeGreaterThan(1)
      if (material !== 'cell_culture') expect(allowed, material).not.toContain('plus_37')
    }
  })

  it('reads keys and names of materials alike', () => {
    expect(['cell_culture', 'Cell culture', ' CELL-CULTURE '].map((name) => allowedZones(name))).toEqual(
      Array.from({ length: 3 }, () => defaultZoneRules['cell_culture']),
    )
  })

  it('lets unknown materials follow "other" and refuses nothing where nothing is known', () => {
    expect(decideZone('FFPE block', 'room').ok).toBe(true)
    expect(decideZone('FFPE block', 'plus_37').ok).toBe(false)
    expect(decideZone('constructor', 'plus_37').ok).toBe(false)
    expect(decideZone(null, 'plus_37').ok).toBe(true)
    expect(decideZone('RNA', null).ok).toBe(true)
  })

  it('follows rules of the laboratory', () => {
    const rules = { ...defaultZoneRules, ffpe_block: ['room'] as const }
    expect(decideZone('FFPE block', 'minus_20', rules)).toMatchObject({ refusal: { allowed: ['room'] } })
  })
})
