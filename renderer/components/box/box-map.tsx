import { useElementSize } from '@mantine/hooks'
import {
  type CSSProperties,
  type DragEvent,
  type KeyboardEvent,
  useEffect,
  useMemo,
  useRef,
  useState,
} from 'react'
import { useTranslation } from 'react-i18next'
import { Icon } from '../icon.tsx'
import type { BoxContents, BoxLooks, BoxPosition } from './box-colours.ts'
import { moveInGrid } from './grid-keys.ts'
import './box-map.css'

interface BoxMapProps {
  readonly map: BoxContents
  readonly looks: BoxLooks
  /** Positions chosen by the person. */
  readonly selected: ReadonlySet<string>
  /** Where the next scan or Enter goes; the crosshair leads to it. */
  readonly target: string | null
  /** The cap drawn dashed in the target: what is in hand. */
  readonly inHand?: { readonly letter: string; readonly colour: string } | null
  /** Positions filled just now: a tick badge. */
  readonly fresh?: ReadonlySet<string>
  readonly onSelect: (label: string, how: { readonly extend: boolean; readonly toggle: boolean }) => void
  /** Enter or double click on a position. */
  readonly onActivate?: (label: string) => void
  /** Single letters inside the map, such as R for reserve. Return true when it was used. */
  readonly onKey?: (key: string, label: string) => boolean
  /** Dragging a tube from one position to another. */
  readonly onDrop?: (from: string, to: string) => void
}

const axisWidth = 22
const axisHeight = 20
const smallestCell = 18
/** Under this type a dragged tube carries the position it comes from; the freezer tree takes it too. */
export const dragType = 'application/x-tracseq-position'

/**
 * A box seen from above: one cell per position, any size up to 45 × 64. One tab stop, arrows inside; the crosshair
 * leads from the target to both axes.
 */
export function BoxMap(props: BoxMapProps) {
  const { map, looks, selected, target, onSelect } = props
  const { t } = useTranslation()
  const { ref: sizeRef, width, height } = useElementSize()
  const grid = useRef<HTMLDivElement>(null)
  const rows = map.box.grid?.rows ?? 1
  const columns = map.box.grid?.columns ?? 1
  const byPlace = useMemo(
    () =>
      new Map(
        map.positions.map((position) => [`${String(position.row)}/${String(position.column)}`, position]),
      ),
    [map],
  )
  const [cursor, setCursor] = useState<string | null>(null)
  const cursorLabel = cursor ?? target ?? [...selected][0] ?? map.positions[0]?.label ?? null
  const marked = target ?? (selected.size === 1 ? ([...selected][0] ?? null) : null)
  const cross = marked === null ? undefined : map.positions.find(({ label }) => label === marked)

  // 46 px at 1280, 56 px on wider windows, less for a plate of 384.
  const largest = width > 760 ? 56 : 46
  const cell = Math.max(
    smallestCell,
    Math.min(
      largest,
      Math.floor((width - axisWidth - 2) / columns),
      Math.floor((height - axisHeight - 2) / rows),
    ),
  )

  // Another box: the cursor starts anew.
  useEffect(() => setCursor(null), [map.box.id])

  // The cursor goes where the next Enter acts; the focus only follows when it is in the map already.
  useEffect(() => {
    if (marked === null) return
    setCursor(marked)
    if (grid.current?.contains(document.activeElement) === true) {
      grid.current.querySelector<HTMLElement>(`[data-position="${CSS.escape(marked)}"]`)?.focus()
    }
  }, [marked])

  function moveTo(label: string): void {
    setCursor(label)
    grid.current?.querySelector<HTMLElement>(`[data-position="${CSS.escape(label)}"]`)?.focus()
  }

  function onKeyDown(event: KeyboardEvent): void {
    const here = map.positions.find(({ label }) => label === cursorLabel)
    if (here === undefined) return
    const next = moveInGrid(event.key, here, { rows, columns }, event.ctrlKey)
    if (next !== null) {
      const position = byPlace.get(`${String(next.row)}/${String(next.column)}`)
      if (position !== undefined) {
        moveTo(position.label)
        onSelect(position.label, { extend: event.shiftKey, toggle: false })
      }
      event.preventDefault()
      return
    }
    if (event.key === 'Enter') {
      props.onActivate?.(here.label)
      event.preventDefault()
    } else if (event.key === ' ') {
      onSelect(here.label, { extend: false, toggle: true })
      event.preventDefault()
    } else if (event.key.length === 1 && !event.ctrlKey && !event.altKey && !event.metaKey) {
      if (props.onKey?.(event.key, here.label) === true) event.preventDefault()
    }
  }

  const style = {
    '--p': `${String(cell)}px`,
    gridTemplateColumns: `${String(axisWidth)}px repeat(${String(columns)}, var(--p))`,
    gridTemplateRows: `${String(axisHeight)}px repeat(${String(rows)}, var(--p))`,
  } as CSSProperties

  return (
    <div className="box-map-room" ref={sizeRef}>
      <div
        className={`box-map${cell < 24 ? ' tiny' : ''}`}
        style={style}
        role="grid"
        aria-label={t('box.map', { rows, columns })}
        aria-multiselectable="true"
        ref={grid}
        onKeyDown={onKeyDown}
      >
        <div role="row">
          <span className="ax" role="columnheader">
            <span className="vh">{map.box.name}</span>
          </span>
          {Array.from({ length: columns }, (_, index) => (
            <span key={index} className={`ax${cross?.column === index + 1 ? ' on' : ''}`} role="columnheader">
              <span>{index + 1}</span>
            </span>
          ))}
        </div>
        {Array.from({ length: rows }, (_, rowIndex) => (
          <div role="row" key={rowIndex}>
            <span className={`ax${cross?.row === rowIndex + 1 ? ' on' : ''}`} role="rowheader">
              <span>{rowLetters(rowIndex)}</span>
            </span>
            {Array.from({ length: columns }, (_, columnIndex) => {
              const position = byPlace.get(`${String(rowIndex + 1)}/${String(columnIndex + 1)}`)
              if (position === undefined) return <span key={columnIndex} role="gridcell" className="pos" />
              const inCross =
                cross !== undefined &&
                ((cross.row === position.row && position.column < cross.column) ||
                  (cross.column === position.column && position.row < cross.row))
              return (
                <Cell
                  key={columnIndex}
                  {...props}
                  position={position}
                  inCross={inCross}
                  isCursor={position.label === cursorLabel}
                  look={looks.caps.get(position.label) ?? null}
                  onClick={(how) => {
                    setCursor(position.label)
                    onSelect(position.label, how)
                  }}
                />
              )
            })}
          </div>
        ))}
      </div>
    </div>
  )
}

interface CellProps extends BoxMapProps {
  readonly position: BoxPosition
  readonly inCross: boolean
  readonly isCursor: boolean
  readonly look: { readonly word: string; readonly letter: string; readonly colour: string } | null
  readonly onClick: (how: { readonly extend: boolean; readonly toggle: boolean }) => void
}

function Cell({
  position,
  look,
  inCross,
  isCursor,
  target,
  selected,
  inHand,
  fresh,
  onActivate,
  onDrop,
  onClick,
}: CellProps) {
  const { t } = useTranslation()
  const { label, state, container } = position
  const isTarget = label === target
  const isFresh = fresh?.has(label) === true
  const words = [
    label,
    state === 'occupied' ? look?.word : t(isKept(position) ? 'box.inHand' : `box.${state}`),
    state === 'reserved' && !isKept(position) && position.reservedFor !== null
      ? t('box.reservedFor', { who: position.reservedFor })
      : null,
    isKept(position) ? t('box.kept') : null,
    container?.label,
    state === 'out_of_use' ? position.reason : null,
    isTarget ? t('box.target') : null,
    isFresh ? t('box.new') : null,
  ].filter((word) => word != null && word !== '')
  const canDrag = onDrop !== undefined && state === 'occupied'
  return (
    <div
      className={`pos${inCross ? ' x' : ''}${isTarget ? ' target' : ''}${selected.has(label) ? ' sel' : ''}${position.column === 1 ? ' c1' : ''}${position.row === 1 ? ' r1' : ''}`}
      role="gridcell"
      tabIndex={isCursor ? 0 : -1}
      aria-label={words.join(', ')}
      aria-selected={selected.has(label)}
      data-position={label}
      draggable={canDrag}
      onDragStart={(event: DragEvent) => event.dataTransfer.setData(dragType, label)}
      onDragOver={(event: DragEvent) => {
        if (onDrop !== undefined && state !== 'out_of_use' && event.dataTransfer.types.includes(dragType))
          event.preventDefault()
      }}
      onDrop={(event: DragEvent) => {
        const from = event.dataTransfer.getData(dragType)
        if (from !== '' && from !== label) onDrop?.(from, label)
      }}
      onClick={(event) => onClick({ extend: event.shiftKey, toggle: event.ctrlKey || event.metaKey })}
      onDoubleClick={() => onActivate?.(label)}
    >
      {isTarget && state === 'available' && inHand != null ? (
        <span className={`cap ${inHand.colour}`} aria-hidden="true">
          {inHand.letter}
        </span>
      ) : (
        <PositionMark state={isKept(position) ? 'kept' : state} look={look} />
      )}
      {isFresh && (
        <span className="new">
          <Icon name="ok" size={14} />
        </span>
      )}
    </div>
  )
}

/** Whether a tube that somebody has in hand is expected back here. */
export function isKept({ state, container }: BoxPosition): boolean {
  return state === 'reserved' && container !== null
}

/** What stands in a position, also for the legend. */
export function PositionMark({
  state,
  look,
}: {
  readonly state: BoxPosition['state'] | 'kept'
  readonly look: { readonly letter: string; readonly colour: string } | null
}) {
  switch (state) {
    case 'occupied':
      return (
        <span className={`cap ${look?.colour ?? ''}`} aria-hidden="true">
          {look?.letter ?? '·'}
        </span>
      )
    case 'reserved':
      return (
        <span className="cap resv" aria-hidden="true">
          <Icon name="clock" size={14} />
        </span>
      )
    case 'kept':
      return (
        <span className="cap resv" aria-hidden="true">
          <Icon name="hand" size={14} />
        </span>
      )
    case 'out_of_use':
      return (
        <span className="dead" aria-hidden="true">
          <Icon name="ban" size={16} />
        </span>
      )
    case 'available':
      return <span className="hole" aria-hidden="true" />
  }
}

/** A, B … Z, AA. */
function rowLetters(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26))
  return index < 26 ? letter : `${String.fromCharCode(64 + Math.floor(index / 26))}${letter}`
}
