import { useVirtualizer } from '@tanstack/react-virtual'
import {
  type ClipboardEvent,
  type KeyboardEvent,
  type ReactNode,
  type RefObject,
  useEffect,
  useId,
  useRef,
} from 'react'
import { useTranslation } from 'react-i18next'
import type { ImportRow } from '../../../services/templates/contract.ts'
import { Icon } from '../../components/icon.tsx'
import type { Block, Spot } from './block-edit.ts'
import { gutterFrame, type GutterMark } from './gutter.ts'
import { cellText, findingsAt, isOpen, type SheetColumn } from './sheet-columns.ts'

const rowHeight = 34
const headHeight = 30
const numberWidth = 46

export interface RowsGridProps {
  readonly label: string
  readonly columns: readonly SheetColumn[]
  readonly total: number
  readonly rowAt: (index: number) => ImportRow | undefined
  /** The cell that keys act on; column -1 is the row as a whole. */
  readonly active: Spot
  readonly selection: Block
  readonly editing: boolean
  /** Values that are on their way to the server, by `row/column key`. */
  readonly pending: ReadonlyMap<string, string>
  readonly marks: readonly GutterMark[]
  readonly grid: RefObject<HTMLDivElement | null>
  readonly onMove: (to: Spot, extend: boolean) => void
  readonly onEdit: (on: boolean) => void
  readonly onCommit: (value: string, step: Spot) => void
  readonly onClear: () => void
  readonly onPaste: (text: string) => void
  readonly onCopy: () => string | null
  readonly onFillDown: () => void
  /** Enter on a cell that has a proposal takes it. Answers whether it did. */
  readonly onAccept: () => boolean
  readonly onEscape: () => void
  readonly onSight: (first: number, last: number) => void
  readonly sight: { readonly first: number; readonly last: number }
  /** What stands beside the active cell. */
  readonly popover: ReactNode
}

/**
 * The rows of the sheet: only what is in sight is drawn. One tab stop; arrows, Page, Home and End move, Shift extends,
 * Enter takes the proposal or edits, F2 edits. A letter never begins an edit: a scanner types letters too.
 */
export function RowsGrid(props: RowsGridProps) {
  const { columns, total, rowAt, active, selection, editing, grid, onSight } = props
  const { t } = useTranslation('receive')
  const base = useId()
  const virtual = useVirtualizer({
    count: total,
    getScrollElement: () => grid.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    // The head stands in the scrolled area above the rows; below, the next rows stay in sight.
    scrollMargin: headHeight,
    scrollPaddingStart: headHeight,
    scrollPaddingEnd: 3 * rowHeight,
  })
  const drawn = virtual.getVirtualItems()
  const range = virtual.range
  const first = range?.startIndex ?? 0
  const last = range?.endIndex ?? 0
  useEffect(() => onSight(first, last), [first, last, onSight])
  useEffect(() => {
    if (active.index < total) virtual.scrollToIndex(active.index)
  }, [active.index, total, virtual])
  useEffect(() => {
    const cell = document.getElementById(`${base}-${String(active.index)}-${String(active.column)}`)
    if (cell !== null && active.column >= 0) keepInSight(grid.current, cell)
  }, [active.index, active.column, base, grid])

  function onKeyDown(event: KeyboardEvent): void {
    if (event.target !== event.currentTarget || event.altKey) return
    const control = event.ctrlKey || event.metaKey
    const pageRows = Math.max(1, Math.floor((grid.current?.clientHeight ?? 320) / rowHeight) - 2)
    const moves: Readonly<Record<string, Spot>> = {
      ArrowDown: { index: control ? total - 1 : active.index + 1, column: active.column },
      ArrowUp: { index: control ? 0 : active.index - 1, column: active.column },
      ArrowRight: { index: active.index, column: active.column + 1 },
      ArrowLeft: { index: active.index, column: active.column - 1 },
      PageDown: { index: active.index + pageRows, column: active.column },
      PageUp: { index: active.index - pageRows, column: active.column },
      Home: { index: control ? 0 : active.index, column: control ? active.column : 0 },
      End: {
        index: control ? total - 1 : active.index,
        column: control ? active.column : columns.length - 1,
      },
    }
    const move = moves[event.key]
    if (move !== undefined) props.onMove(move, event.shiftKey)
    else if (event.key === 'Enter' && !control) {
      if (!props.onAccept()) props.onEdit(true)
    } else if (event.key === 'F2') props.onEdit(true)
    else if (event.key === 'Delete' || event.key === 'Backspace') props.onClear()
    else if (control && event.key.toLowerCase() === 'd') props.onFillDown()
    else if (event.key === 'Escape') props.onEscape()
    else return
    event.preventDefault()
  }

  function onPaste(event: ClipboardEvent): void {
    if (event.target !== event.currentTarget) return
    event.preventDefault()
    props.onPaste(event.clipboardData.getData('text/plain'))
  }

  function onCopy(event: ClipboardEvent): void {
    if (event.target !== event.currentTarget) return
    const text = props.onCopy()
    if (text === null) return
    event.preventDefault()
    event.clipboardData.setData('text/plain', text)
  }

  const tracks = `${String(numberWidth)}px ${columns
    .map(({ width }, index) =>
      index === columns.length - 1
        ? `minmax(${String(width)}px, 1fr)`
        : `minmax(${String(width)}px, ${String(width * 2)}px)`,
    )
    .join(' ')}`
  const least = numberWidth + columns.reduce((sum, { width }) => sum + width, 0)
  const isDrawn = drawn.some(({ index }) => index === active.index) && rowAt(active.index) !== undefined
  const frame = gutterFrame(props.sight.first, props.sight.last, total)
  return (
    <div className="rcv-sheet">
      <div
        ref={grid}
        className="rcv-grid"
        role="grid"
        aria-label={props.label}
        aria-rowcount={total + 1}
        aria-colcount={columns.length + 1}
        aria-multiselectable
        {...(isDrawn
          ? { 'aria-activedescendant': `${base}-${String(active.index)}-${String(active.column)}` }
          : {})}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onPaste={onPaste}
        onCopy={onCopy}
      >
        <div role="rowgroup" className="rcv-grid-head" style={{ minWidth: least }}>
          <div role="row" aria-rowindex={1} style={{ gridTemplateColumns: tracks }}>
            <span role="columnheader">{t('grid.row')}</span>
            {columns.map((column) => (
              <span
                role="columnheader"
                key={column.key}
                className={`ell${column.look === 'number' ? ' num' : ''}${column.fieldKey === null ? ' extra' : ''}`}
                title={
                  column.fieldKey === null ? t('grid.extra', { heading: column.heading }) : column.heading
                }
              >
                {column.heading}
              </span>
            ))}
          </div>
        </div>
        <div
          role="rowgroup"
          style={{ height: virtual.getTotalSize(), position: 'relative', minWidth: least }}
        >
          {drawn.map((item) => {
            const row = rowAt(item.index)
            return (
              <div
                key={item.key}
                role="row"
                aria-rowindex={item.index + 2}
                className={`rcv-row ${row === undefined ? 'coming' : row.state}`}
                style={{
                  transform: `translateY(${String(item.start - headHeight)}px)`,
                  height: item.size,
                  gridTemplateColumns: tracks,
                }}
              >
                <span
                  role="rowheader"
                  id={`${base}-${String(item.index)}--1`}
                  className={item.index === active.index && active.column === -1 ? 'active' : ''}
                  onClick={() => props.onMove({ index: item.index, column: -1 }, false)}
                >
                  {row !== undefined && <RowNumber row={row} />}
                </span>
                {row !== undefined &&
                  columns.map((column, at) => (
                    <Cell
                      key={column.key}
                      id={`${base}-${String(item.index)}-${String(at)}`}
                      row={row}
                      column={column}
                      active={item.index === active.index && at === active.column}
                      selected={
                        item.index >= selection.top &&
                        item.index <= selection.bottom &&
                        at >= selection.left &&
                        at <= selection.right
                      }
                      editing={editing && item.index === active.index && at === active.column}
                      pending={props.pending.get(`${String(row.row)}/${column.key}`) ?? null}
                      onPick={(extend) => props.onMove({ index: item.index, column: at }, extend)}
                      onEdit={props.onEdit}
                      onCommit={props.onCommit}
                    />
                  ))}
              </div>
            )
          })}
        </div>
      </div>
      <div className="rcv-gutter" aria-hidden="true">
        {props.marks.map(({ top, severity }) => (
          <i key={top} className={severity} style={{ top: `${String(top)}%` }} />
        ))}
        <i className="sight" style={{ top: `${String(frame.top)}%`, height: `${String(frame.height)}%` }} />
      </div>
      {props.popover !== null && (
        <BesideCell grid={grid} cellId={`${base}-${String(active.index)}-${String(active.column)}`}>
          {props.popover}
        </BesideCell>
      )}
    </div>
  )
}

function RowNumber({ row }: { readonly row: ImportRow }) {
  const { t } = useTranslation('receive')
  const words = t(`rowStates.${row.state}`)
  return (
    <span title={row.saveError ?? words}>
      {row.state === 'saved' && <Icon name="check" size={14} />}
      {row.state === 'skipped' && <Icon name="minus" size={14} />}
      {row.row}
      <span className="vh">, {words}</span>
    </span>
  )
}

interface CellProps {
  readonly id: string
  readonly row: ImportRow
  readonly column: SheetColumn
  readonly active: boolean
  readonly selected: boolean
  readonly editing: boolean
  readonly pending: string | null
  readonly onPick: (extend: boolean) => void
  readonly onEdit: (on: boolean) => void
  readonly onCommit: (value: string, step: Spot) => void
}

function Cell({ id, row, column, active, selected, editing, pending, onPick, onEdit, onCommit }: CellProps) {
  const { t } = useTranslation('receive')
  const findings = isOpen(row) && pending === null ? findingsAt(row, column) : []
  const worst = findings.find(({ severity }) => severity === 'error') ?? findings[0]
  const tone = worst === undefined ? '' : worst.severity === 'error' ? ' e' : ' w'
  const text = pending ?? cellText(row, column)
  const cell = column.fieldKey === null ? undefined : row.cells[column.fieldKey]
  const changed = cell?.original !== null && cell !== undefined
  const hint =
    worst?.message ??
    (changed && cell.original !== null
      ? t('grid.changed', { value: cell.original === '' ? t('edit.empty') : cell.original })
      : cell?.readAs === null || cell === undefined
        ? undefined
        : t('grid.readAs', { value: cell.readAs }))
  return (
    <span
      role="gridcell"
      id={id}
      aria-selected={selected}
      aria-readonly={!isOpen(row)}
      {...(worst === undefined ? {} : { 'aria-invalid': true })}
      title={hint}
      className={`${column.look}${tone}${active ? ' active' : ''}${selected ? ' selected' : ''}${pending === null ? '' : ' pending'}${editing ? ' editing' : ''}`}
      onMouseDown={(event) => {
        if (!editing) onPick(event.shiftKey)
      }}
      onDoubleClick={() => onEdit(true)}
    >
      {editing ? (
        <CellField
          text={text}
          label={t('grid.editing', { row: row.row, heading: column.heading })}
          onEdit={onEdit}
          onCommit={onCommit}
        />
      ) : (
        <>
          <span className="ell">{text}</span>
          {changed && worst === undefined && <i className="changed" aria-hidden="true" />}
          {worst !== undefined && (
            <>
              <Icon name={worst.severity === 'error' ? 'bad' : 'warn'} size={16} />
              <span className="vh">, {worst.title}</span>
            </>
          )}
        </>
      )}
    </span>
  )
}

function CellField({
  text,
  label,
  onEdit,
  onCommit,
}: {
  readonly text: string
  readonly label: string
  readonly onEdit: (on: boolean) => void
  readonly onCommit: (value: string, step: Spot) => void
}) {
  const field = useRef<HTMLInputElement>(null)
  const settled = useRef(false)
  useEffect(() => field.current?.select(), [])
  const settle = (step: Spot | null) => {
    if (settled.current) return
    settled.current = true
    if (step === null) onEdit(false)
    else onCommit(field.current?.value ?? text, step)
  }
  return (
    <input
      ref={field}
      autoFocus
      aria-label={label}
      defaultValue={text}
      maxLength={4_000}
      onBlur={() => settle({ index: 0, column: 0 })}
      onKeyDown={(event) => {
        if (event.nativeEvent.isComposing) return
        if (event.key === 'Enter') settle({ index: event.shiftKey ? -1 : 1, column: 0 })
        else if (event.key === 'Tab') settle({ index: 0, column: event.shiftKey ? -1 : 1 })
        else if (event.key === 'Escape') settle(null)
        else if (event.key === 'F8' || (event.key.toLowerCase() === 's' && event.ctrlKey)) {
          settle({ index: 0, column: 0 })
          return
        } else return
        event.preventDefault()
        event.stopPropagation()
      }}
    />
  )
}

/** Places the popover to the right of the cell where there is room, else to its left, and inside the sheet. */
function BesideCell({
  grid,
  cellId,
  children,
}: {
  readonly grid: RefObject<HTMLDivElement | null>
  readonly cellId: string
  readonly children: ReactNode
}) {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const sheet = grid.current
    if (sheet === null) return
    let frame = 0
    const place = () => {
      const popover = box.current
      const cell = document.getElementById(cellId)
      if (popover === null) return
      if (cell === null) {
        popover.style.visibility = 'hidden'
        return
      }
      const around = sheet.getBoundingClientRect()
      const at = cell.getBoundingClientRect()
      const inSight = at.bottom > around.top + headHeight && at.top < around.bottom
      const fitsRight = at.right + 12 + popover.offsetWidth <= around.right
      const left = fitsRight
        ? at.right - around.left + 12
        : Math.max(4, at.left - around.left - 12 - popover.offsetWidth)
      const top = Math.min(
        Math.max(headHeight, at.top - around.top - 1),
        Math.max(headHeight, around.height - popover.offsetHeight - 6),
      )
      popover.className = `rcv-pop ${fitsRight ? 'right' : 'left'}`
      popover.style.left = `${String(left)}px`
      popover.style.top = `${String(top)}px`
      popover.style.setProperty('--tip', `${String(at.top - around.top - top + at.height / 2)}px`)
      popover.style.visibility = inSight ? 'visible' : 'hidden'
    }
    const later = () => {
      cancelAnimationFrame(frame)
      frame = requestAnimationFrame(place)
    }
    later()
    sheet.addEventListener('scroll', later, { passive: true })
    const watch = new ResizeObserver(later)
    watch.observe(sheet)
    return () => {
      cancelAnimationFrame(frame)
      sheet.removeEventListener('scroll', later)
      watch.disconnect()
    }
  })
  return (
    <div ref={box} className="rcv-pop" style={{ visibility: 'hidden' }}>
      {children}
    </div>
  )
}

/** Sideways only: the list itself scrolls to the row. */
function keepInSight(sheet: HTMLElement | null, cell: HTMLElement): void {
  if (sheet === null) return
  const around = sheet.getBoundingClientRect()
  const at = cell.getBoundingClientRect()
  if (at.left < around.left + numberWidth) sheet.scrollLeft -= around.left + numberWidth - at.left
  else if (at.right > around.right) sheet.scrollLeft += at.right - around.right
}
