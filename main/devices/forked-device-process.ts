import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { DeviceProcess } from './device-host.ts'

/** Starts the device process as a forked Node process, for the workstation without windows and for tests. */
export function forkDeviceProcess(
  log: (words: string) => void,
  entry: string = fileURLToPath(new URL('./device-process.ts', import.meta.url)),
): DeviceProcess {
  // No stdout: the workstation's own first line there is a promise to other programs.
  const child: ChildProcess = fork(entry, [], { execArgv: [], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
  child.stderr?.setEncoding('utf8').on('data', (words: string) => log(words.trimEnd()))
  let endedBecause: string | null = null
  const listeners: ((reason: string) => void)[] = []
  function end(reason: string): void {
    if (endedBecause !== null) return
    endedBecause = reason
    for (const listener of listeners) listener(reason)
  }
  child.once('exit', (code, signal) => end(signal ? `signal ${signal}` : `exit status ${String(code)}`))
  child.on('error', (error) => {
    if (child.pid === undefined) end(`it could not be started: ${error.message}`)
    else log(error.message)
  })
  return {
    send(message) {
      if (child.connected) child.send(message as object, () => undefined)
    },
    onMessage: (listener) => void child.on('message', listener),
    onExit(listener) {
      if (endedBecause === null) listeners.push(listener)
      else listener(endedBecause)
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
