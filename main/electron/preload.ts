import { contextBridge, ipcRenderer } from 'electron'

/**
 * The only thing a window can reach of the machine. Everything else goes over the port, through the gateway, with the
 * permissions of the person signed in.
 */
const bridge = {
  platform: process.platform,
  /** How to sign in to the demo laboratory; null in a real one. */
  demoSignIn: readDemoSignIn(),
  /** Asks the host for a port to the gateway; it arrives as a window message, since only those can carry one. */
  requestPort: () => ipcRenderer.send('tracseq:request-port'),
  /** Restarts on a laboratory made for trying out, in a folder of its own. */
  openDemo: () => ipcRenderer.invoke('tracseq:open-demo') as Promise<void>,
}

function readDemoSignIn(): { readonly email: string; readonly password: string } | null {
  const prefix = '--tracseq-demo='
  const argument = process.argv.find((word) => word.startsWith(prefix))
  return argument === undefined
    ? null
    : (JSON.parse(argument.slice(prefix.length)) as { readonly email: string; readonly password: string })
}

ipcRenderer.on('tracseq:port', (event) => {
  window.postMessage('tracseq:port', window.location.origin, [...event.ports])
})

// What the page shows instead, when the workstation did not open.
ipcRenderer.on('tracseq:no-port', (_event, words: string) => {
  window.postMessage({ noPort: words }, window.location.origin)
})

contextBridge.exposeInMainWorld('tracseq', bridge)

export type TracSeqBridge = typeof bridge
