import { join, resolve } from 'node:path'
import {
  app,
  BrowserWindow,
  dialog,
  ipcMain,
  Menu,
  MessageChannelMain,
  session,
  utilityProcess,
  type WebContents,
} from 'electron'
import type { LogLevel } from '../../platform/gateway/log.ts'
import type { DeviceProcess } from '../devices/device-host.ts'
import { demoSignIn, fillDemoLaboratory, setUpDemoLaboratory } from '../demo-laboratory.ts'
import { defaultHome, HomeUnusable, makeHomeFolder } from '../../platform/host/home.ts'
import {
  compileDatabaseEngine,
  readHubUrl,
  readVersion,
  startWorkstation,
  type Workstation,
} from '../workstation.ts'
import { chooseSecretStore } from './sealed-secrets.ts'
import { denyPermissions, isOurPage, openWindow, registerPageScheme, servePages } from './window.ts'

const applicationName = 'TracSeq Bench'
const isDemo = process.argv.includes('--demo')
const root = app.getAppPath()
const built = import.meta.dirname
const home = homeOfThisStart()

app.setName(applicationName)
// Fields for dates are the browser's own: they shall write days as the screens do.
app.commandLine.appendSwitch('lang', 'en-GB')
registerPageScheme()

let opening: Promise<Workstation> | null = null
let workstation: Workstation | null = null
let closing = false

if (!prepareWindowFolder()) {
  app.exit(1)
} else if (app.requestSingleInstanceLock()) {
  app.on('second-instance', showFirstWindow)
  app.on('window-all-closed', () => app.quit())
  app.on('before-quit', (event) => {
    if (opening === null) return
    event.preventDefault()
    void closeAll()
  })
  // Electron itself takes longer to be ready than this; if it fails, opening the workstation says so.
  compileDatabaseEngine().catch(() => undefined)
  // A top-level await on this promise would keep Electron from ever becoming ready.
  app.whenReady().then(start).catch(showStartFailure)
} else {
  process.stderr.write(`TracSeq Bench is already running on ${home}: its window is shown instead.\n`)
  app.quit()
}

/** Before the single-instance lock, which lies in there: two homes can then run side by side. False when it said why not. */
function prepareWindowFolder(): boolean {
  try {
    makeHomeFolder(home, 'window')
    app.setPath('userData', join(home, 'window'))
    return true
  } catch (error) {
    showStartFailure(error)
    return false
  }
}

async function start(): Promise<void> {
  // macOS takes copy and paste from the menu; elsewhere a menu would only be in the way.
  Menu.setApplicationMenu(
    process.platform === 'darwin'
      ? Menu.buildFromTemplate([{ role: 'appMenu' }, { role: 'editMenu' }, { role: 'windowMenu' }])
      : null,
  )
  denyPermissions()
  servePages(resolve(built, '../renderer'))
  // The page loads while the workstation opens; its first call waits for the port.
  ipcMain.on('tracseq:request-port', (event) => {
    if (!isOurPage(event) || closing) return
    // Somebody who has put right what was wrong asks again, and it is opened again.
    open().then(
      (running) => connectWindow(event.sender, running),
      (error: unknown) => refuseWindow(event.sender, error),
    )
  })
  ipcMain.handle('tracseq:open-demo', (event) => {
    if (!isOurPage(event)) throw new Error('Not from a page of this application')
    openDemo()
  })
  const opens = open()
  openMainWindow()
  opens.catch((error: unknown) => {
    process.stderr.write(`${error instanceof HomeUnusable ? error.message : fullWords(error)}\n`)
    // Nobody looks at the window.
    if (process.env['TRACSEQ_NO_DIALOG'] !== undefined) app.exit(1)
  })
}

/** The workstation of this start: the one that opens or is open, and a new try after one that failed. */
function open(): Promise<Workstation> {
  opening ??= openWorkstation().catch((error: unknown) => {
    opening = null
    throw error
  })
  return opening
}

async function openWorkstation(): Promise<Workstation> {
  const started = await startWorkstation({
    home,
    root,
    version: readVersion(root),
    logLevel: readLogLevel(process.env['TRACSEQ_LOG']),
    logToStderr: process.env['TRACSEQ_LOG'] !== undefined,
    spawnDeviceProcess,
    secrets: chooseSecretStore(home),
    ...readHubUrl(process.env['TRACSEQ_HUB_URL']),
  })
  process.on('uncaughtException', (error) => {
    started.log.write('error', 'A defect in the main process', { error })
  })
  try {
    const { email, password } = {
      email: process.env['TRACSEQ_ADMIN_EMAIL'],
      password: process.env['TRACSEQ_ADMIN_PASSWORD'],
    }
    if (email !== undefined && password !== undefined) await started.setUpFrom({ email, password })
    if (isDemo) await openDemoLaboratory(started)
  } catch (error) {
    await started.close()
    throw error
  }
  workstation = started
  for (const window of BrowserWindow.getAllWindows()) window.setTitle(`${applicationName} – ${started.name}`)
  return started
}

/** Tells the page why there is no workstation and what can be done; it offers to try again. */
function refuseWindow(page: WebContents, error: unknown): void {
  if (page.isDestroyed()) return
  const words =
    error instanceof HomeUnusable
      ? error.message
      : `The workstation could not be opened. Everything confirmed is kept. Try again; if this stays, whoever looks after it finds the cause in ${join(home, 'logs')}: ${error instanceof Error ? error.message : String(error)}`
  page.postMessage('tracseq:no-port', words)
}

function connectWindow(page: WebContents, open: Workstation): void {
  if (page.isDestroyed()) return
  const { port1, port2 } = new MessageChannelMain()
  open.connectWindow(port1, `window-${page.id}`)
  port1.start()
  page.postMessage('tracseq:port', null, [port2])
}

/** Signing in is possible at once; the freezers fill up meanwhile. */
async function openDemoLaboratory(open: Workstation): Promise<void> {
  await setUpDemoLaboratory(open.gateway)
  fillDemoLaboratory(open).catch((error: unknown) => {
    open.log.write('error', 'The demo laboratory could not be filled', { error })
  })
}

function openMainWindow(): BrowserWindow {
  return openWindow({
    preload: join(built, '../preload/index.cjs'),
    title: applicationName,
    icon: join(root, 'resources/icons/icon.png'),
    // What the page may know before anybody signs in.
    log: (words) => workstation?.log.write('warn', words, { step: 'window' }),
    pageArguments: isDemo ? [`--tracseq-demo=${JSON.stringify(demoSignIn)}`] : [],
  })
}

/** Databases, devices and journal are closed in order before the process ends; the lock goes with it. */
async function closeAll(): Promise<void> {
  if (closing) return
  closing = true
  try {
    // One that does not open has said so and has nothing to close.
    const open = await opening?.catch(() => null)
    workstation = null
    await open?.close()
    // What the pages keep of themselves; they would be written some seconds from now.
    session.defaultSession.flushStorageData()
    app.exit(0)
  } catch (error) {
    process.stderr.write(`TracSeq Bench did not close cleanly: ${String(error)}\n`)
    app.exit(1)
  }
}

/** The demo laboratory is a home of its own beside the real one, so that trying things out can never mix with work. */
function openDemo(): void {
  app.relaunch({ args: [...process.argv.slice(1).filter((word) => word !== '--demo'), '--demo'] })
  void closeAll()
}

function homeOfThisStart(): string {
  const wanted = defaultHome()
  return isDemo ? `${wanted}-demo` : wanted
}

function showFirstWindow(): void {
  const [window] = BrowserWindow.getAllWindows()
  if (window === undefined) return
  if (window.isMinimized()) window.restore()
  window.focus()
}

/** Without even a window: a dialog of the system says it. */
function showStartFailure(error: unknown): void {
  const words = error instanceof HomeUnusable ? error.message : fullWords(error)
  process.stderr.write(`${words}\n`)
  if (process.env['TRACSEQ_NO_DIALOG'] === undefined) dialog.showErrorBox('TracSeq Bench cannot start', words)
  app.exit(1)
}

function fullWords(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** Scanner drivers are native code: in a process of their own, a crash there is a restart and not an end. */
function spawnDeviceProcess(log: (words: string) => void): DeviceProcess {
  const child = utilityProcess.fork(join(built, 'device-process.js'), [], {
    serviceName: 'TracSeq devices',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  child.stderr?.on('data', (words: Buffer) => log(words.toString().trimEnd()))
  return {
    send: (message) => child.postMessage(message),
    onMessage: (listener) => void child.on('message', listener),
    onExit: (listener) => void child.once('exit', (code) => listener(`exit status ${String(code)}`)),
    kill: () => void child.kill(),
  }
}

function readLogLevel(text: string | undefined): LogLevel {
  return text === 'debug' || text === 'warn' || text === 'error' ? text : 'info'
}
