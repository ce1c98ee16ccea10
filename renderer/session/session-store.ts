import { useSyncExternalStore } from 'react'
import { isInBrowser } from '../bridge.ts'
import { client, connectApplication, connectSession, queries } from '../client.ts'
import { problemCode } from '../problem.ts'
import { readRememberedStatus, rememberStatus } from './remembered-status.ts'

type Status = Awaited<ReturnType<typeof client.auth.status>>
export type Me = Awaited<ReturnType<typeof client.auth.me>>

/** Where a person stands with this workstation. */
export type Session =
  | { readonly stage: 'starting' }
  | { readonly stage: 'unreachable'; readonly error: unknown }
  | { readonly stage: 'first-run'; readonly status: Status }
  | {
      readonly stage: 'signed-out'
      readonly status: Status
      /** The last session ended by itself. */
      readonly ended: boolean
      /** The status is what was true last time: databases and journal are not open yet. */
      readonly opening: boolean
    }
  | { readonly stage: 'signed-in'; readonly status: Status; readonly me: Me; readonly locked: boolean }

interface Tokens {
  readonly accessToken: string
  /** Empty in a browser: the Hub keeps it in a cookie that no script can read. */
  readonly refreshToken: string
  readonly expiresAt: string
}

/** A session's access token is exchanged this long before it ends. */
const refreshBeforeMs = 60_000

// In memory only: a window that is closed or reloaded asks for the password again, unless the Hub's cookie resumes it.
let tokens: Tokens | null = null
let session: Session = { stage: 'starting' }
let refreshTimer: number | undefined
/** Whether the host has said what it is, or that it cannot open. */
let opened: Promise<void> = Promise.resolve()
const listeners = new Set<() => void>()

connectSession({
  readToken: () => tokens?.accessToken ?? null,
  onRefused: (code) => {
    if (session.stage !== 'signed-in') return
    if (code === 'SESSION_LOCKED') set({ ...session, locked: true })
    else leave(true)
  },
})

/** The session as it is now; the component is drawn again when it changes. */
export function useSession(): Session {
  return useSyncExternalStore(subscribeSession, readSession)
}

/** Who is signed in. Only for what is shown to a person signed in. */
export function useMe(): Me {
  const current = useSession()
  if (current.stage !== 'signed-in') throw new Error('Nobody is signed in')
  return current.me
}

/** Whether the person signed in may do this. */
export function useMay(permission: string): boolean {
  return useMe().permissions.includes(permission)
}

export function readSession(): Session {
  return session
}

export function subscribeSession(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Runs something while a person is signed in and the screen is not locked; `begin` gives back what stops it. */
export function whileSignedIn(begin: (me: Me) => () => void): () => void {
  let stop: (() => void) | null = null
  function follow(): void {
    if (session.stage === 'signed-in' && !session.locked) stop ??= begin(session.me)
    else {
      stop?.()
      stop = null
    }
  }
  const forget = subscribeSession(follow)
  follow()
  return () => {
    forget()
    stop?.()
  }
}

/**
 * Asks the host whether there is a laboratory; the first thing a window does. A workstation that has one lets people
 * type their password while it opens.
 */
export function beginSession(): Promise<void> {
  // A second try has failed before: what was remembered may be what is not there.
  const isFirst = session.stage === 'starting'
  const remembered = isInBrowser() || !isFirst ? null : readRememberedStatus()
  set(
    remembered === null
      ? { stage: 'starting' }
      : { stage: 'signed-out', status: remembered, ended: false, opening: true },
  )
  opened = askStatus()
  return opened
}

async function askStatus(): Promise<void> {
  try {
    await connectApplication()
    const status = await client.auth.status()
    if (isInBrowser()) {
      if (status.setUp && (await resume(status))) return
    } else rememberStatus(status)
    set(
      status.setUp
        ? { stage: 'signed-out', status, ended: false, opening: false }
        : { stage: 'first-run', status },
    )
  } catch (error) {
    set({ stage: 'unreachable', error })
  }
}

let resuming: Promise<boolean> = Promise.resolve(false)

/**
 * Takes a browser's session up again after a reload, by the cookie. False when there is none to take up. The cookie is
 * good once, so tabs of one browser, and tries of one tab, come one after the other.
 */
function resume(status: Status): Promise<boolean> {
  const exchange = () => client.auth.refresh({})
  const one = async () => {
    if (session.stage === 'signed-in') return true
    try {
      // Browsers give this to safe origins only: HTTPS, or the machine itself.
      const { locks } = navigator as { readonly locks?: LockManager }
      keepTokens(await (locks === undefined ? exchange() : locks.request('tracseq:refresh', exchange)))
      set({ stage: 'signed-in', status, me: await client.auth.me(), locked: false })
      return true
    } catch (error) {
      tokens = null
      const code = problemCode(error)
      // Locked counts as ended: nobody is there to unlock it.
      if (code === 'UNAUTHORIZED' || code === 'SESSION_LOCKED') return false
      throw error
    }
  }
  resuming = resuming.then(one, one)
  return resuming
}

/** Throws what the host refuses with: wrong password, lock-out, no password yet. Waits for a workstation that opens. */
export async function signIn(email: string, password: string): Promise<void> {
  await opened
  // It could not be opened, or has no laboratory: the screen says so.
  if (session.stage !== 'signed-out') return
  enter(await client.auth.login({ email, password }))
}

/** Makes the laboratory and its first administrator, and signs that person in. */
export async function setUpLaboratory(input: Parameters<typeof client.auth.setUp>[0]): Promise<void> {
  enter(await client.auth.setUp(input))
}

/** Locks at once on the screen; the host follows, and its refusal changes nothing on the screen. */
export async function lockSession(): Promise<void> {
  if (session.stage !== 'signed-in' || session.locked) return
  set({ ...session, locked: true })
  await client.auth.lock({}).catch((error: unknown) => {
    if (problemCode(error) === 'UNAUTHORIZED') leave(true)
  })
}

export type Proof = { readonly password: string } | { readonly badgeCode: string; readonly pin: string }

/** Opens the locked session again, for the person who is signed in. */
export async function unlockSession(proof: Proof): Promise<void> {
  if (session.stage !== 'signed-in' || tokens === null) return
  try {
    await client.auth.unlock({ accessToken: tokens.accessToken, ...proof })
  } catch (error) {
    if (problemCode(error) === 'SESSION_ENDED') leave(true)
    throw error
  }
  // Read anew: roles may have changed meanwhile.
  const me = await client.auth.me()
  if (readSession().stage === 'signed-in')
    set({ stage: 'signed-in', status: session.status, me, locked: false })
  await queries.invalidateQueries()
}

/** Signs out on the screen even when the host does not answer. */
export async function signOut(): Promise<void> {
  const done = client.auth.logout({}).catch(() => undefined)
  await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 2_000))])
  leave(false)
}

function enter(answer: Tokens & { readonly me: Me }): void {
  const status: Status = {
    setUp: true,
    laboratory: answer.me.laboratory,
    workstationName: 'status' in session ? session.status.workstationName : '',
  }
  if (!isInBrowser()) rememberStatus(status)
  keepTokens(answer)
  queries.clear()
  set({ stage: 'signed-in', status, me: answer.me, locked: false })
}

function leave(ended: boolean): void {
  tokens = null
  window.clearTimeout(refreshTimer)
  queries.clear()
  if (session.stage === 'signed-in')
    set({ stage: 'signed-out', status: session.status, ended, opening: false })
}

function keepTokens(next: Tokens): void {
  const isLonger = tokens === null || Date.parse(next.expiresAt) > Date.parse(tokens.expiresAt)
  tokens = next
  window.clearTimeout(refreshTimer)
  // A session that has reached its full length ends by itself, and the next call says so. A browser's cookie is for
  // taking it up again: another tab may have put a session of its own there.
  if (!isLonger || next.refreshToken === '') return
  const untilMs = Date.parse(next.expiresAt) - Date.now() - refreshBeforeMs
  // Browsers keep a timer for at most 24.8 days.
  refreshTimer = window.setTimeout(
    () => void refreshTokens(),
    Math.min(Math.max(untilMs, 5_000), 2 ** 31 - 1),
  )
}

async function refreshTokens(): Promise<void> {
  if (tokens === null) return
  try {
    keepTokens(await client.auth.refresh({ refreshToken: tokens.refreshToken }))
  } catch (error) {
    // A locked or silent host may still take the old token; a refused one says so at the next call.
    if (problemCode(error) === 'UNAUTHORIZED') leave(true)
    else refreshTimer = window.setTimeout(() => void refreshTokens(), 10_000)
  }
}

function set(next: Session): void {
  session = next
  for (const listener of listeners) listener()
}
