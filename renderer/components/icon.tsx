import { drawings, type IconName } from './drawings.tsx'

/** All drawings once per page; every icon refers to one of them. */
export function IconSprite() {
  return (
    <svg width="0" height="0" style={{ position: 'absolute' }} aria-hidden="true">
      {Object.entries(drawings).map(([name, drawing]) => (
        <symbol key={name} id={`i-${name}`} viewBox="0 0 20 20">
          {drawing}
        </symbol>
      ))}
    </svg>
  )
}

/** A drawing beside words. It is hidden from screen readers: the words carry the meaning. */
export function Icon({
  name,
  size = 18,
}: {
  readonly name: IconName
  readonly size?: 14 | 16 | 18 | 20 | 24
}) {
  return (
    <svg className={size === 18 ? 'i' : `i i-${String(size)}`} aria-hidden="true">
      <use href={`#i-${name}`} />
    </svg>
  )
}
