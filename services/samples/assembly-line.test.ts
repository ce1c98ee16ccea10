import { describe, expect, it } from 'vitest'
import { AssemblyLine } from './assembly-line.ts'

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

describe('an assembly line', () => {
  it('keeps the rows in order at each station, and the stations busy at the same time', async () => {
    const line = new AssemblyLine()
    const seen: string[] = []
    let [busy, most] = [0, 0]
    const rows = [5, 0, 3, 0, 4].map(async (slowness, row) => {
      for (const station of ['code', 'place']) {
        await line.pass(station, async () => {
          busy += 1
          most = Math.max(most, busy)
          await pause(slowness)
          seen.push(`${station} ${row}`)
          busy -= 1
        })
      }
    })
    await Promise.all(rows)
    for (const station of ['code', 'place']) {
      const there = seen.filter((each) => each.startsWith(station))
      expect(there).toEqual([0, 1, 2, 3, 4].map((row) => `${station} ${row}`))
    }
    expect(most).toBe(2)
  })

  it('lets the next row pass when one is refused', async () => {
    const line = new AssemblyLine()
    const refused = line.pass('code', () => Promise.reject(new Error('taken')))
    const next = line.pass('code', () => Promise.resolve('done'))
    await expect(refused).rejects.toThrow('taken')
    expect(await next).toBe('done')
  })
})
