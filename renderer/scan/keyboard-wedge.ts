import { readUsKey } from './us-keyboard.ts'

/** A keydown, reduced to what tells a scanner from a person. */
export interface WedgeKey {
  readonly code: string
  readonly key: string
  readonly shift: boolean
  readonly ctrl: boolean
  readonly alt: boolean
  readonly meta: boolean
  /** A key that is held down repeats; a scanner presses and lets go. */
  readonly repeat: boolean
  /** Typed into a password field: never taken for a scan by its speed, because scans are stored in the clear. */
  readonly secret: boolean
  /** Milliseconds of any steady clock. */
  readonly timeMs: number
}

/** A scanner that types. Its codes must end in Enter or Tab. */
export interface WedgeSettings {
  /**
   * Guaranteed mode: what the scanner is set up to send before each code, as one character of the US layout (`~`, or
   * STX for Ctrl+B) or the name of a key that types nothing (`F13`). Null when the scanner sends no prefix.
   */
  readonly prefix: string | null
  /** A code that has begun with the prefix and then falls silent for so long has broken off. */
  readonly brokenOffAfterMs: number
  /** Best effort for scanners without a prefix: what types this fast is no person. Null is off. */
  readonly timing: {
    readonly minimumLength: number
    /** Slow scanners need up to 100 ms between two keys; then fast typists come close. */
    readonly maximumGapMs: number
    readonly maximumMeanGapMs: number
  } | null
}

export const standardWedgeSettings: WedgeSettings = {
  prefix: null,
  brokenOffAfterMs: 500,
  timing: { minimumLength: 5, maximumGapMs: 60, maximumMeanGapMs: 45 },
}

export type WedgeState =
  | { readonly mode: 'idle' }
  /** Between prefix and suffix: nothing reaches a field. */
  | { readonly mode: 'capturing'; readonly text: string; readonly lastKeyMs: number }
  /** Typed fast so far; the characters go where the cursor is until the suffix proves a scanner. */
  | {
      readonly mode: 'burst'
      readonly text: string
      readonly firstKeyMs: number
      readonly lastKeyMs: number
    }
  /** Just after a code: a scanner that ends it in CR LF presses one key more. */
  | { readonly mode: 'ended'; readonly lastKeyMs: number }

export type WedgeEffect =
  /** Before the key is handled: keep the focused field as it is, in case a scan begins here. */
  | { readonly kind: 'remember-field' }
  /** Put that field back as it was remembered. */
  | { readonly kind: 'restore-field' }
  | { readonly kind: 'scan'; readonly text: string; readonly mode: 'guaranteed' | 'timing' }
  /** Something was swallowed and is no code; a person must know. */
  | { readonly kind: 'broken-off'; readonly text: string }

export interface WedgeStep {
  readonly state: WedgeState
  /** A swallowed key reaches neither the field nor any shortcut. */
  readonly key: 'pass' | 'swallow'
  readonly effects: readonly WedgeEffect[]
}

export const idleWedge: WedgeState = { mode: 'idle' }

const MODIFIERS: ReadonlySet<string> = new Set(['Shift', 'Control', 'Alt', 'AltGraph', 'Meta', 'CapsLock'])
const SUFFIXES: ReadonlySet<string> = new Set(['Enter', 'NumpadEnter', 'Tab'])
/** Separators inside codes: FS, GS, RS, US, and the EOT that ends an ISO 15434 message. */
const SEPARATORS: ReadonlySet<string> = new Set(['\u001c', '\u001d', '\u001e', '\u001f', '\u0004'])
const MAXIMUM_LENGTH = 8_192
const LEFTOVER_WITHIN_MS = 100

/** Decides about one keydown. Pure: the adapter carries out the effects in order, then passes or swallows the key. */
export function stepWedge(before: WedgeState, key: WedgeKey, settings: WedgeSettings): WedgeStep {
  const { state, effects } = expireWedge(before, key.timeMs, settings)
  const step = state.mode === 'capturing' ? stepCapture(state, key, settings) : stepIdle(state, key, settings)
  return { ...step, effects: [...effects, ...step.effects] }
}

/** Gives up a code whose scanner has fallen silent; the adapter also asks when no key comes any more. */
export function expireWedge(
  state: WedgeState,
  timeMs: number,
  settings: WedgeSettings,
): { readonly state: WedgeState; readonly effects: readonly WedgeEffect[] } {
  if (state.mode !== 'capturing' || timeMs - state.lastKeyMs <= settings.brokenOffAfterMs) {
    return { state, effects: [] }
  }
  return { state: idleWedge, effects: brokenOff(state.text) }
}

function stepCapture(
  state: Extract<WedgeState, { mode: 'capturing' }>,
  key: WedgeKey,
  settings: WedgeSettings,
): WedgeStep {
  const lastKeyMs = key.timeMs
  // A prefix key that types nothing cannot be part of a code: the code before it has lost its end.
  if (isPrefix(key, settings) && settings.prefix !== readUsKey(key)) {
    return swallow({ mode: 'capturing', text: '', lastKeyMs }, brokenOff(state.text))
  }
  if (key.code === 'Escape') return swallow(idleWedge, brokenOff(state.text))

  const character = key.repeat || key.alt || key.meta ? null : readUsKey(key)
  if (SUFFIXES.has(key.code) || (character !== null && /[\r\n\t]/.test(character))) {
    const found: readonly WedgeEffect[] =
      state.text === '' ? [] : [{ kind: 'scan', text: state.text, mode: 'guaranteed' }]
    return swallow({ mode: 'ended', lastKeyMs }, found)
  }
  const text = state.text + (character ?? '')
  if (text.length > MAXIMUM_LENGTH) return swallow(idleWedge, brokenOff(text))
  return swallow({ mode: 'capturing', text, lastKeyMs })
}

function stepIdle(
  state: Exclude<WedgeState, { mode: 'capturing' }>,
  key: WedgeKey,
  settings: WedgeSettings,
): WedgeStep {
  const { timing } = settings
  if (state.mode === 'ended' && isLeftover(state, key)) {
    return swallow({ mode: 'ended', lastKeyMs: key.timeMs })
  }
  if (isPrefix(key, settings)) return swallow({ mode: 'capturing', text: '', lastKeyMs: key.timeMs })
  if (MODIFIERS.has(key.key)) return pass(state)
  if (timing === null || key.secret || key.repeat || key.alt || key.meta || key.key === 'Process') {
    return pass(idleWedge)
  }

  const burst = state.mode === 'burst' && key.timeMs - state.lastKeyMs <= timing.maximumGapMs ? state : null
  if (SUFFIXES.has(key.code)) {
    const plain = !key.ctrl && !key.shift
    if (burst === null || !plain || !isScannerFast(burst, key.timeMs, timing)) return pass(idleWedge)
    return swallow({ mode: 'ended', lastKeyMs: key.timeMs }, [
      { kind: 'restore-field' },
      { kind: 'scan', text: burst.text, mode: 'timing' },
    ])
  }

  const character = readUsKey(key)
  if (character === null || (key.ctrl && !SEPARATORS.has(character))) return pass(idleWedge)
  if (burst === null || burst.text.length >= MAXIMUM_LENGTH) {
    return pass({ mode: 'burst', text: character, firstKeyMs: key.timeMs, lastKeyMs: key.timeMs }, [
      { kind: 'remember-field' },
    ])
  }
  const longer: WedgeState = { ...burst, text: burst.text + character, lastKeyMs: key.timeMs }
  // Ctrl+] within a code would zoom in on a German keyboard; a person is not that fast.
  return key.ctrl ? swallow(longer) : pass(longer)
}

function isPrefix(key: WedgeKey, { prefix }: WedgeSettings): boolean {
  if (prefix === null || key.alt || key.meta) return false
  return prefix.length === 1 ? readUsKey(key) === prefix : key.code === prefix
}

/** CR LF is typed as two Enters, or as Enter and Ctrl+J; the second would press a button. */
function isLeftover(state: Extract<WedgeState, { mode: 'ended' }>, key: WedgeKey): boolean {
  if (key.timeMs - state.lastKeyMs > LEFTOVER_WITHIN_MS) return false
  return SUFFIXES.has(key.code) || (key.ctrl && key.code === 'KeyJ')
}

function isScannerFast(
  burst: Extract<WedgeState, { mode: 'burst' }>,
  suffixMs: number,
  timing: NonNullable<WedgeSettings['timing']>,
): boolean {
  const meanGapMs = (suffixMs - burst.firstKeyMs) / burst.text.length
  return burst.text.length >= timing.minimumLength && meanGapMs <= timing.maximumMeanGapMs
}

function brokenOff(text: string): readonly WedgeEffect[] {
  return text === '' ? [] : [{ kind: 'broken-off', text }]
}

function pass(state: WedgeState, effects: readonly WedgeEffect[] = []): WedgeStep {
  return { state, key: 'pass', effects }
}

function swallow(state: WedgeState, effects: readonly WedgeEffect[] = []): WedgeStep {
  return { state, key: 'swallow', effects }
}
