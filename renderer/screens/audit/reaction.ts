/** The event that a change follows from; null for a change that a person made. Its name is then the reason. */
export function reactionTo({
  kind,
  reason,
}: {
  readonly kind: string
  readonly reason: string | null
}): string | null {
  return kind === 'change' && /^[A-Z][a-z]+([A-Z][a-z]+)+$/.test(reason ?? '') ? reason : null
}

/** Events are named in the past tense, so their names read as what happened: `Sample accessioned`. */
export function eventWords(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}
