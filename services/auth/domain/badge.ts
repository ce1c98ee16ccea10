/** What a badge says. A scanner may put the symbology's identifier (`]C1`) before it. */
export function readBadge(scanned: string): string {
  return scanned.trim().replace(/^\][A-Za-z][0-9A-Za-z]/, '')
}
