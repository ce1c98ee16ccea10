import {
  expireWedge,
  idleWedge,
  stepWedge,
  type WedgeEffect,
  type WedgeSettings,
  type WedgeState,
} from './keyboard-wedge.ts'

export interface WedgeListenerOptions {
  /** Asked at each key, so that changed settings apply at once. */
  readonly settings: () => WedgeSettings
  readonly onScan: (text: string, mode: 'guaranteed' | 'timing') => void
  /** Keys were swallowed that made no code; say so, they reached no field. */
  readonly onBrokenOff: (text: string) => void
}

/**
 * Listens for keyboard scanners on every screen of a window, before any field or shortcut sees the key. Returns the
 * function that stops it.
 */
export function listenForWedge(target: Window, options: WedgeListenerOptions): () => void {
  let state: WedgeState = idleWedge
  let restoreField: (() => void) | null = null
  let silence: number | undefined
  const swallowedCodes = new Set<string>()

  function carryOut(effects: readonly WedgeEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'remember-field':
          restoreField = rememberField(target.document.activeElement)
          break
        case 'restore-field':
          restoreField?.()
          restoreField = null
          break
        case 'scan':
          options.onScan(effect.text, effect.mode)
          break
        case 'broken-off':
          options.onBrokenOff(effect.text)
          break
      }
    }
  }

  function watchSilence(): void {
    target.clearTimeout(silence)
    if (state.mode !== 'capturing') return
    const settings = options.settings()
    silence = target.setTimeout(() => {
      const expired = expireWedge(state, Infinity, settings)
      state = expired.state
      carryOut(expired.effects)
    }, settings.brokenOffAfterMs)
  }

  function onKeyDown(event: KeyboardEvent): void {
    const step = stepWedge(
      state,
      {
        code: event.code,
        key: event.key,
        shift: event.shiftKey,
        ctrl: event.ctrlKey,
        alt: event.altKey,
        meta: event.metaKey,
        repeat: event.repeat,
        secret: event.target instanceof HTMLInputElement && event.target.type === 'password',
        // When the key went down, not when a busy page came to hear of it.
        timeMs: event.timeStamp,
      },
      options.settings(),
    )
    state = step.state
    if (step.key === 'swallow') {
      swallowedCodes.add(event.code)
      keepFromPage(event)
    } else {
      swallowedCodes.delete(event.code)
    }
    carryOut(step.effects)
    watchSilence()
  }

  /** A button is pressed by the release of Space: the release of a swallowed key goes with it. */
  function onKeyUp(event: KeyboardEvent): void {
    if (swallowedCodes.delete(event.code)) keepFromPage(event)
  }

  target.addEventListener('keydown', onKeyDown, { capture: true })
  target.addEventListener('keyup', onKeyUp, { capture: true })
  return () => {
    target.removeEventListener('keydown', onKeyDown, { capture: true })
    target.removeEventListener('keyup', onKeyUp, { capture: true })
    target.clearTimeout(silence)
  }
}

function keepFromPage(event: KeyboardEvent): void {
  event.preventDefault()
  event.stopImmediatePropagation()
}

/** Takes a picture of a field; the answer puts it back, and null means that there is nothing a key could change. */
function rememberField(element: Element | null): (() => void) | null {
  if (element instanceof HTMLSelectElement) {
    const { value } = element
    return () => setValue(element, value, 'change')
  }
  if (!(element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement)) return null
  if (element.readOnly || element.type === 'checkbox' || element.type === 'radio') return null
  const { value, selectionStart, selectionEnd, selectionDirection } = element
  return () => {
    setValue(element, value, 'input')
    // Number and date fields have no selection to set.
    if (selectionStart !== null) {
      element.setSelectionRange(selectionStart, selectionEnd, selectionDirection ?? 'none')
    }
  }
}

/**
 * Sets a value so that React notices. React keeps its own copy by overriding `value` on each element and ignores an
 * event when the copy is equal, so the prototype's setter is used and the event a person would cause is sent.
 */
function setValue(
  element: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement,
  value: string,
  eventName: 'input' | 'change',
): void {
  if (!element.isConnected || element.value === value) return
  Reflect.set(Object.getPrototypeOf(element) as object, 'value', value, element)
  element.dispatchEvent(new Event(eventName, { bubbles: true }))
}
