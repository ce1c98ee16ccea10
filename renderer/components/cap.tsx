/** Types that have a colour of their own; any other has a neutral cap and its letter. */
const colours: ReadonlySet<string> = new Set(['dna', 'rna', 'plasma', 'serum', 'tissue', 'blood'])

/** The class that colours a cap by material; the letter carries the meaning. */
export function capColour(material: string | null): string {
  return material !== null && colours.has(material) ? `c-${material}` : ''
}

interface CapProps {
  readonly material: string | null
  readonly letter: string
  readonly size?: 's' | 'm' | 'l'
}

/** A tube's cap seen from above. Hidden from screen readers: the words beside it name the material. */
export function Cap({ material, letter, size = 'm' }: CapProps) {
  return (
    <span className={`cap ${capColour(material)}${size === 'm' ? '' : ` cap-${size}`}`} aria-hidden="true">
      {letter}
    </span>
  )
}
