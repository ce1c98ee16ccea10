import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { app, BrowserWindow, type IpcMainEvent, type IpcMainInvokeEvent, protocol, session } from 'electron'

const scheme = 'tracseq'
const origin = `${scheme}://app`

/** What a page may load: its own files, and nothing else. Mantine sets styles from script, hence the one exception. */
const contentSecurityPolicy = [
  `default-src 'none'`,
  `script-src 'self'`,
  `style-src 'self' 'unsafe-inline'`,
  `font-src 'self'`,
  `img-src 'self' data: blob:`,
  `media-src 'self' blob:`,
  `connect-src 'self'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
  `base-uri 'none'`,
].join('; ')

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
}

/** Must run before the application is ready: makes the pages' own scheme a secure origin. */
export function registerPageScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ])
}

/** Serves the built pages from their folder, each answer with the content security policy. */
export function servePages(folder: string): void {
  protocol.handle(scheme, async (request) => {
    const { pathname, host } = new URL(request.url)
    const file = normalize(join(folder, pathname === '/' ? 'index.html' : decodeURIComponent(pathname)))
    if (host !== 'app' || !file.startsWith(folder + sep)) return new Response('Not found', { status: 404 })
    try {
      const body = await readFile(file)
      return new Response(new Uint8Array(body), {
        headers: {
          'content-type': contentTypes[extname(file)] ?? 'application/octet-stream',
          'content-security-policy': contentSecurityPolicy,
          'x-content-type-options': 'nosniff',
        },
      })
    } catch {
      return new Response('Not found', { status: 404 })
    }
  })
}

/** No page may ask for the camera, the clipboard or anything else. */
export function denyPermissions(): void {
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) => answer(false))
  session.defaultSession.setPermissionCheckHandler(() => false)
}

/** Opens a sandboxed window on the application's first page. */
export function openWindow(options: {
  readonly preload: string
  readonly title: string
  readonly icon: string
  readonly pageArguments: readonly string[]
  readonly log: (words: string) => void
}): BrowserWindow {
  const window = new BrowserWindow({
    width: 1280,
    height: 800,
    minWidth: 1024,
    minHeight: 640,
    title: options.title,
    icon: options.icon,
    show: false,
    backgroundColor: '#12181A',
    autoHideMenuBar: true,
    webPreferences: {
      preload: options.preload,
      additionalArguments: [...options.pageArguments],
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      webSecurity: true,
      webviewTag: false,
      devTools: !app.isPackaged,
      spellcheck: false,
    },
  })
  window.once('ready-to-show', () => window.show())
  const { webContents } = window
  webContents.on('will-navigate', (event, url) => {
    if (!url.startsWith(`${origin}/`)) event.preventDefault()
  })
  webContents.on('will-attach-webview', (event) => event.preventDefault())
  webContents.setWindowOpenHandler(() => ({ action: 'deny' }))
  reloadAfterCrash(window, options.log)
  void window.loadURL(`${origin}/`)
  return window
}

const reloadsAtMost = 3

/** A page that crashed holds no data: everything confirmed is in the journal. It is shown anew, but not for ever. */
function reloadAfterCrash(window: BrowserWindow, log: (words: string) => void): void {
  let reloads = 0
  window.webContents.on('render-process-gone', (_event, details) => {
    if (details.reason === 'clean-exit') return
    reloads += 1
    log(`The window's page ended (${details.reason}); reload ${reloads} of ${reloadsAtMost}`)
    if (reloads <= reloadsAtMost) window.webContents.reload()
  })
  window.on('unresponsive', () => log('The window does not answer at the moment'))
}

/** Whether a message comes from a page of ours, in the top frame of a window. */
export function isOurPage(event: IpcMainEvent | IpcMainInvokeEvent): boolean {
  const frame = event.senderFrame
  return frame !== null && frame.parent === null && frame.origin === origin
}
