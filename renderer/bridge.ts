/** What the preload script of the desktop app offers; a browser has none of it. */
export interface Bridge {
  readonly platform: string
  requestPort(): void
  openDemo(): Promise<void>
}

declare global {
  interface Window {
    readonly tracseq?: Bridge
  }
}

/** The desktop's bridge, or null in a plain browser. */
export function findBridge(): Bridge | null {
  return window.tracseq ?? null
}
