import { readFileSync } from 'node:fs'

// Loaded before a program under test, in each of its threads: from then on its wall clock is the one of `MachineClock`.

const file = process.env['TRACSEQ_TEST_CLOCK'] ?? ''
const lookEveryMs = 50
const Real = Date
let aheadMs = read()
setInterval(() => (aheadMs = read()), lookEveryMs).unref()

function read(): number {
  return Number(readFileSync(file, 'utf8'))
}

class MachineDate extends Real {
  constructor(...given: [] | [number | string | Date]) {
    // More arguments are years, months and days, which nobody here writes.
    super(given.length === 0 ? MachineDate.now() : given[0])
  }

  static override now(): number {
    return Real.now() + aheadMs
  }
}

globalThis.Date = MachineDate as DateConstructor
