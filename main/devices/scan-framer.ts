/** Settings of the framer; see the scanner settings for what they mean to a person. */
export interface FramerSettings {
  /** An end of a code beside CR, LF and CR LF; empty for none. May hold CR or LF at its end only. */
  readonly suffix: string
  /** A longer code is taken for garbage. */
  readonly maximumFrameBytes: number
  /** A code whose next byte is this late was broken off; its beginning must not be glued to the next code. */
  readonly staleAfterMs: number
}

export type DropReason = 'too-long' | 'broken-off' | 'noise'

export type FramerEvent =
  | { readonly kind: 'code'; readonly text: string; readonly lastByteMonotonicUs: number }
  | { readonly kind: 'dropped'; readonly reason: DropReason; readonly bytes: number }

export interface ScanFramer {
  /** Takes the bytes of one read and the time of that read; answers what they completed, in order. */
  push(bytes: Uint8Array, monotonicUs: number): readonly FramerEvent[]
  /** Ends the code under way, for scanners that send no terminator. */
  flush(): readonly FramerEvent[]
  /** Forgets the code under way, because the line was cut. */
  breakOff(): readonly FramerEvent[]
}

const CARRIAGE_RETURN = 0x0d
const LINE_FEED = 0x0a

/**
 * Cuts a scanner's byte stream into codes, however the reads split it. CR and LF each end a code at once and
 * an empty code is none, so CR LF counts once even when its halves arrive apart, and a lone CR waits for nothing.
 */
export function createScanFramer(settings: FramerSettings): ScanFramer {
  const suffix = new TextEncoder().encode(settings.suffix.replace(/[\r\n]+$/, ''))
  const frame = new Uint8Array(settings.maximumFrameBytes + suffix.length + 1)
  let length = 0
  let lastByteMonotonicUs = 0
  let skippingToEnd = false

  function endsWithSuffix(): boolean {
    if (suffix.length === 0 || length < suffix.length) return false
    return suffix.every((byte, index) => frame[length - suffix.length + index] === byte)
  }

  function drop(reason: DropReason): readonly FramerEvent[] {
    const bytes = length
    const already = skippingToEnd
    length = 0
    skippingToEnd = false
    return bytes === 0 || already ? [] : [{ kind: 'dropped', reason, bytes }]
  }

  function end(): readonly FramerEvent[] {
    if (skippingToEnd || length === 0) return drop('too-long')
    if (length > settings.maximumFrameBytes) return drop('too-long')
    const code = frame.subarray(0, length)
    // A line break (an unplugged wire, a wrong baud rate) reads as NUL; no database text could hold it either.
    if (code.includes(0)) return drop('noise')
    const text = decodeCode(code)
    length = 0
    return [{ kind: 'code', text, lastByteMonotonicUs }]
  }

  function take(byte: number): readonly FramerEvent[] {
    if (byte === CARRIAGE_RETURN || byte === LINE_FEED) return end()
    frame[length] = byte
    length += 1
    if (endsWithSuffix()) {
      length -= suffix.length
      return end()
    }
    if (length < frame.length) return []
    // Reported once and skipped up to its end, keeping just enough to recognise a suffix that has begun.
    const events: readonly FramerEvent[] = skippingToEnd
      ? []
      : [{ kind: 'dropped', reason: 'too-long', bytes: length }]
    const kept = Math.max(suffix.length - 1, 0)
    frame.copyWithin(0, length - kept, length)
    length = kept
    skippingToEnd = true
    return events
  }

  return {
    push(bytes, monotonicUs) {
      const events: FramerEvent[] = []
      if (monotonicUs - lastByteMonotonicUs > settings.staleAfterMs * 1_000)
        events.push(...drop('broken-off'))
      lastByteMonotonicUs = monotonicUs
      for (const byte of bytes) events.push(...take(byte))
      return events
    },
    flush: end,
    breakOff: () => drop('broken-off'),
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** UTF-8 where the bytes are UTF-8, Latin-1 otherwise; control characters such as GS (0x1D) stay in the text. */
export function decodeCode(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    // Older scanners send ISO 8859-1. (TextDecoder's "latin1" is Windows-1252, which maps 0x80–0x9F elsewhere.)
    return Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  }
}
