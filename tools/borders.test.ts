import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '..')

interface Violation {
  readonly from: string
  readonly rule: { readonly name: string }
}

/** Writes a small tree, cruises it with the project's own rules and returns `file: rule` per broken rule. */
function findViolations(files: Readonly<Record<string, string>>): readonly string[] {
  const tree = mkdtempSync(join(tmpdir(), 'tracseq-borders-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(tree, name)), { recursive: true })
      writeFileSync(join(tree, name), text)
    }
    for (const name of ['node_modules', 'package.json', 'tsconfig.json']) {
      symlinkSync(join(root, name), join(tree, name))
    }
    const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs')
    const configuration = join(root, '.dependency-cruiser.cjs')
    const args = [cruiser, '--config', configuration, '--output-type', 'json', '.']
    const output = execFileSync(process.execPath, args, { cwd: tree, encoding: 'utf8' })
    const { summary } = JSON.parse(output) as { summary: { violations: readonly Violation[] } }
    return summary.violations.map(({ from, rule }) => `${from}: ${rule.name}`).sort()
  } finally {
    rmSync(tree, { recursive: true })
  }
}

test('each border is guarded', () => {
  const violations = findViolations({
    'services/samples/contract.ts': 'export const samples = 1',
    'services/samples/queries.ts': 'export const queries = 1',
    'services/samples/samples.worker.ts': 'export const worker = 1',
    'main/electron/windows.ts': 'export const windows = 1',
    'main/workstation.ts': 'export const workstation = 1',
    'tools/demo.ts': 'export const demo = 1',

    'platform/reach-up.ts': "import type {} from '../services/samples/contract.ts'",
    'services/storage/reach-host.ts': "import '../../main/workstation.ts'",
    'services/storage/reach-over.ts': "import '../samples/queries.ts'",
    'services/storage/domain/read-file.ts': "import 'node:fs'",
    'services/samples/import-worker.ts': "import './samples.worker.ts'",
    'main/skip-registry.ts': "import '../services/samples/queries.ts'",
    'hub/borrow.ts': "import '../main/workstation.ts'",
    'main/show-window.ts': "import 'electron'",
    'main/devices/know-sample.ts': "import '../../services/samples/contract.ts'",
    'renderer/peek.ts': "import '../services/samples/queries.ts'",
    'renderer/read-file.ts': "import 'node:fs'",
    'platform/need-development.ts': "import 'fast-check'",
    'platform/need-tool.ts': "import '../tools/demo.ts'",
    'platform/circle.ts': "import './other-half.ts'\nexport const circle = 1",
    'platform/other-half.ts': "import './circle.ts'\nexport const half = 1",
    'platform/astray.ts': "import './nowhere.ts'",
  })

  expect(violations).toEqual([
    'hub/borrow.ts: hosts-stand-apart',
    'main/devices/know-sample.ts: devices-know-no-domain',
    'main/show-window.ts: electron-stays-in-its-folder',
    'main/show-window.ts: shipped-code-needs-no-development-package',
    'main/skip-registry.ts: hosts-find-services-in-the-registry',
    'platform/astray.ts: imports-lead-somewhere',
    'platform/circle.ts: no-cycles',
    'platform/need-development.ts: shipped-code-needs-no-development-package',
    'platform/need-tool.ts: shipped-code-needs-no-tooling',
    'platform/reach-up.ts: platform-knows-no-domain',
    'renderer/peek.ts: renderer-sees-contracts-only',
    'renderer/read-file.ts: renderer-sees-contracts-only',
    'services/samples/import-worker.ts: workers-are-started-not-imported',
    'services/storage/domain/read-file.ts: domain-rules-are-pure',
    'services/storage/reach-host.ts: services-know-no-host',
    'services/storage/reach-over.ts: services-meet-in-contracts',
  ])
})

test('the intended ways across are open', () => {
  const violations = findViolations({
    'platform/contract/values.ts': "import 'zod'",
    'services/samples/contract.ts': "import '../../platform/contract/values.ts'",
    'services/samples/domain/amount.ts': "import 'decimal.js'\nimport '../contract.ts'",
    'services/samples/domain/amount.test.ts': "import 'vitest'\nimport './amount.ts'",
    'services/storage/commands.ts': "import '../samples/contract.ts'\nimport 'node:crypto'",
    'services/registry.ts': "import './samples/contract.ts'",
    'main/workstation.ts': "import '../services/registry.ts'",
    'main/electron/index.ts': "import 'electron'\nimport '../workstation.ts'",
    'renderer/main.tsx': "import 'react'\nimport '../services/samples/contract.ts'",
  })

  expect(violations).toEqual([])
})
