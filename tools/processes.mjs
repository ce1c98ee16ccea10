// Runs other programs for the tools in this folder. Plain JavaScript that Node 20 understands, because the
// tools are what brings in the Node the project itself needs.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The checkout these tools belong to. */
export const root = join(import.meta.dirname, '..')

/** Files the tools make for themselves; safe to delete at any time. */
export const cache = join(root, '.cache')

/** The Node every part of TracSeq runs on, whatever Node the machine has. */
export const projectNode = join(
  root,
  'node_modules/node/bin',
  process.platform === 'win32' ? 'node.exe' : 'node',
)

/** The environment of a child: programs of this checkout come first on its PATH. */
export function projectEnvironment(extra = {}) {
  const pathName = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH'
  const path = [join(root, 'node_modules/.bin'), process.env[pathName]].filter(Boolean).join(delimiter)
  const environment = { ...process.env, [pathName]: path, ...extra }
  // Set inside some editors' terminals; it would turn Electron into a plain Node.
  delete environment.ELECTRON_RUN_AS_NODE
  return environment
}

/** Says whether a program can be found on the PATH. */
export function isOnPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)))
}

/** Runs a short program to its end and returns its exit status and output. Never throws for a missing program. */
export function capture(program, args, { seconds = 60, ...options } = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: seconds * 1000,
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  })
  return {
    status: result.status ?? 1,
    stdout: result.stdout ?? '',
    stderr: result.stderr ?? String(result.error),
  }
}

/**
 * Runs a program in a process group of its own, passes on SIGINT and SIGTERM, and ends the whole group at the
 * deadline. Resolves to `{ status, timedOut, output }`; `output` is filled when `quiet`.
 */
export function run(program, args, { seconds = 0, quiet = false, environment = projectEnvironment() } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      env: environment,
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
      // A group, so that nothing the program started (Xvfb, databases, Electron) outlives a deadline.
      detached: process.platform !== 'win32',
      shell: process.platform === 'win32' && !program.endsWith('.exe'),
    })
    const output = []
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(chunk))

    let timedOut = false
    let lastResort
    const signalGroup = (signal) => {
      try {
        if (process.platform === 'win32') child.kill(signal)
        else process.kill(-child.pid, signal)
      } catch (error) {
        if (error.code !== 'ESRCH') throw error
      }
    }
    const stop = (signal) => {
      signalGroup(signal)
      lastResort ??= setTimeout(() => signalGroup('SIGKILL'), 10_000)
    }
    const deadline =
      seconds > 0 &&
      setTimeout(() => {
        timedOut = true
        stop('SIGTERM')
      }, seconds * 1000)
    const forward = (signal) => stop(signal)
    process.on('SIGINT', forward)
    process.on('SIGTERM', forward)

    const finish = () => {
      clearTimeout(deadline)
      clearTimeout(lastResort)
      process.off('SIGINT', forward)
      process.off('SIGTERM', forward)
    }
    child.on('error', (error) => {
      finish()
      reject(error)
    })
    child.on('close', (code) => {
      // The leader is gone; whatever it left behind in its group would hold ports and files.
      if (timedOut) signalGroup('SIGKILL')
      finish()
      resolve({
        status: timedOut ? 1 : (code ?? 1),
        timedOut,
        output: Buffer.concat(output).toString('utf8'),
      })
    })
  })
}
