import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The far end of a serial line: a device that is not there in hardware, on a real terminal of the kernel. */
export interface PseudoTerminal {
  /** What the driver opens. */
  readonly path: string
  /** Sends bytes as the device would; resolves when they are on their way. */
  send(content: string | Uint8Array): Promise<void>
  /** Pulls the plug: the path vanishes and the line hangs up. */
  hangUp(): Promise<void>
}

/** Opens a pseudo-terminal; with `link` it is found under that path, so that a device can come back under its name. */
export async function openPseudoTerminal(link?: string): Promise<PseudoTerminal> {
  const script = fileURLToPath(new URL('./pty-pair.py', import.meta.url))
  const child = spawn('python3', link === undefined ? [script] : [script, link], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  const [line] = (await Promise.race([
    once(child.stdout, 'data'),
    exit.then(() => {
      throw new Error('python3 opened no pseudo-terminal')
    }),
  ])) as [Buffer]
  return {
    path: line.toString().trim(),
    send: (content) =>
      new Promise((resolve, reject) =>
        child.stdin.write(content, (error) => (error ? reject(error) : resolve())),
      ),
    async hangUp() {
      child.kill('SIGKILL')
      await exit
    },
  }
}
