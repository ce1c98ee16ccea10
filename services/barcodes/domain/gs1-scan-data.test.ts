import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gs1CheckDigit } from './gs1-content-rules.ts'
import { generateScanData, parseScanData } from './gs1-scan-data.ts'

const gtin13 = fc.stringMatching(/^\d{12}$/).map((body) => body + gs1CheckDigit(body))
const lot = fc.stringMatching(/^[A-Z0-9-]{1,20}$/)

describe('scan data of GS1 symbols', () => {
  test('what is generated is read again', () => {
    fc.assert(
      fc.property(gtin13, lot, lot, (gtin, first, second) => {
        const elements = `^010${gtin}10${first}^21${second}`
        const cases = [
          ['QR', elements],
          ['DM', elements],
          ['DotCode', elements],
          ['GS1_128_CCA', elements],
          ['DataBarExpanded', elements],
          ['EAN13', gtin],
          ['EAN13', `${gtin}|^10${first}^21${second}`],
        ] as const
        for (const [symbology, data] of cases) {
          const scanData = generateScanData(symbology, data)
          expect(scanData.ok && parseScanData(scanData.value)).toMatchObject({
            ok: true,
            value: { symbology, data },
          })
        }
      }),
    )
  })

  test('plain text comes back unchanged, carets and backslashes at the start included', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^\\{0,3}\^?[ -~]{0,10}$/), (text) => {
        const scan = parseScanData(`]d1${text}`)
        expect(scan.ok && generateScanData('DM', scan.value.data)).toEqual({ ok: true, value: `]d1${text}` })
      }),
    )
  })

  test('an added check digit is the right one', () => {
    fc.assert(
      fc.property(gtin13, (gtin) => {
        const completed = generateScanData('EAN13', gtin.slice(0, 12), { addCheckDigit: true })
        expect(completed).toEqual({ ok: true, value: `]E0${gtin}` })
      }),
    )
  })

  test.each([
    ['DataBarLimited', '24012345678905', 'out-of-range'],
    ['EAN8', '02345674', 'INCORRECT_CHECK_DIGIT'],
    ['EAN13', '2112345678900|99X', 'no-leading-fnc1'],
    ['GS1_128_CCC', '^0109506000134351', 'INCORRECT_CHECK_DIGIT'],
  ] as const)('%s cannot hold %s: %s', (symbology, data, rule) => {
    expect(generateScanData(symbology, data)).toMatchObject({ ok: false, rule })
  })

  test('the elements of an article number and of a Digital Link come with it', () => {
    const elements = [{ ai: '01', value: '09506000134352' }]
    expect(parseScanData(']E09506000134352')).toMatchObject({ value: { elements, isDigitalLink: false } })
    expect(parseScanData(']Q1https://id.gs1.org/01/09506000134352')).toMatchObject({
      value: { elements, isDigitalLink: true },
    })
  })
})
