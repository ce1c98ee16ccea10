import { expect, it } from 'vitest'
import { compareVersions } from './versions.ts'

it.each([
  [{ samples: ['1', '2'] }, { samples: ['1', '2'] }, 'same'],
  [{ samples: ['2', '1'] }, { samples: ['1', '2'] }, 'same'],
  [{ samples: ['1'] }, { samples: ['1', '2'] }, 'behind'],
  [{ samples: ['2'] }, { samples: ['1', '2'] }, 'behind'],
  [{ samples: ['1'] }, { samples: ['1'], runs: ['1'] }, 'behind'],
  [{ samples: ['1', '2'] }, { samples: ['1'] }, 'ahead'],
  [{ samples: ['1', 'x'] }, { samples: ['1', '2'] }, 'ahead'],
  [{ samples: ['1'], runs: ['1'] }, { samples: ['1', '2'] }, 'ahead'],
] as const)('%j beside a Hub with %j is %s', (workstation, hub, standing) => {
  expect(compareVersions(workstation, hub)).toBe(standing)
})
