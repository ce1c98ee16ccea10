import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { parseArgs } from 'node:util'
import { defaultHome, HomeUnusable } from '../platform/host/home.ts'
import { backup } from './cli/backup.ts'
import { type Command, CommandRefused } from './cli/command.ts'
import { doctor } from './cli/doctor.ts'
import { enroll } from './cli/enroll.ts'
import { exportTables } from './cli/export.ts'
import { addLaboratory, founderCode, laboratories, rotateSigningKey } from './cli/hub-laboratories.ts'
import { rebuild } from './cli/rebuild.ts'
import { resetPassword } from './cli/reset-password.ts'
import { restore } from './cli/restore.ts'
import { verify } from './cli/verify.ts'

/** `npm run tracseq -- <command>`: operations from a terminal. */
const commands: readonly Command[] = [
  verify,
  doctor,
  backup,
  restore,
  rebuild,
  exportTables,
  resetPassword,
  enroll,
  laboratories,
  founderCode,
  addLaboratory,
  rotateSigningKey,
]
const root = resolve(import.meta.dirname, '..')

process.exitCode = await main(process.argv.slice(2))

async function main([word, ...rest]: readonly string[]): Promise<number> {
  if (word === undefined || word === 'help' || word === '--help') {
    process.stdout.write(usage())
    return word === undefined ? 1 : 0
  }
  const command = commands.find((each) => each.name === word)
  if (command === undefined) {
    process.stderr.write(`There is no command "${word}".\n\n${usage()}`)
    return 1
  }
  try {
    const options = readOptions(command, rest)
    return await command.run({
      home: resolve(options['home'] ?? defaultHome()),
      root,
      option: (name) => options[name] ?? null,
      say: (line) => void process.stdout.write(`${line}\n`),
      askSecret,
    })
  } catch (error) {
    const expected = error instanceof CommandRefused || error instanceof HomeUnusable
    process.stderr.write(`${expected ? error.message : describe(error)}\n`)
    return 1
  }
}

function readOptions(command: Command, rest: readonly string[]): Readonly<Record<string, string>> {
  const names = ['home', ...command.options]
  try {
    const { values } = parseArgs({
      args: [...rest],
      options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
    })
    return values as Readonly<Record<string, string>>
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    throw new CommandRefused(`${words}\nusage: tracseq ${command.name} ${command.parameters} [--home DIR]`)
  }
}

function usage(): string {
  const lines = commands.map(({ name, parameters, summary }) => `  ${name} ${parameters}\n      ${summary}`)
  return (
    'usage: npm run tracseq -- <command> [--home DIR]\n\n' +
    `${lines.join('\n')}\n\nWithout --home it is TRACSEQ_HOME, or ${defaultHome()}.\n`
  )
}

/** The first line of the standard input; what a person types is not shown. */
function askSecret(question: string): Promise<string> {
  const terminal = process.stdin.isTTY
  if (terminal) process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal })
  return new Promise((resolveLine) => {
    lines.once('line', (line) => {
      resolveLine(line)
      lines.close()
    })
    lines.once('close', () => resolveLine(''))
  }).then((line) => {
    if (terminal) process.stderr.write('\n')
    return String(line)
  })
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
