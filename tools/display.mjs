// Where windows go when the machine has no screen.
import { run } from './processes.mjs'
import { hasDisplay } from './setup/system-packages.mjs'

/** Runs a program that opens windows: on the display there is, or on a virtual one. Options as for `run`. */
export function runWithDisplay(program, args, options) {
  if (hasDisplay()) return run(program, args, options)
  const server = ['-a', '--server-args=-screen 0 1600x1000x24 -nolisten tcp']
  return run('xvfb-run', [...server, program, ...args], options)
}
