import { useVirtualizer } from '@tanstack/react-virtual'
import {
  type CSSProperties,
  type KeyboardEvent,
  type ReactNode,
  useEffect,
  useId,
  useRef,
  useState,
} from 'react'
import { useTranslation } from 'react-i18next'
import { Icon } from './icon.tsx'
import './data-grid.css'

export interface GridColumn<Row> {
  readonly key: string
  readonly head: ReactNode
  /** Width of a CSS grid track: `120px`, `minmax(160px, 1fr)`. */
  readonly width: string
  readonly align?: 'end'
  /** The server's name for sorting by this column. */
  readonly sortKey?: string
  readonly cell: (row: Row, index: number) => ReactNode
}

interface DataGridProps<Row> {
  readonly label: string
  readonly columns: readonly GridColumn<Row>[]
  /** What is loaded; more is asked for when the end comes in sight. */
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  /** Rows there are altogether, loaded or not. */
  readonly total?: number
  readonly rowHeight?: number
  readonly sort?: string
  readonly onSort?: (sort: string) => void
  /** The row that stands open beside the grid. */
  readonly openKey?: string | null
  /** Enter or click. */
  readonly onOpen?: (row: Row) => void
  /** Chosen rows; leave out for a grid without choosing. */
  readonly selected?: ReadonlySet<string>
  readonly onSelect?: (selected: ReadonlySet<string>) => void
  readonly onEndReached?: () => void
  readonly rowTone?: (row: Row) => 'warn' | 'bad' | undefined
  readonly empty?: ReactNode
}

/**
 * A list that stays smooth with 100,000 rows: only what is in sight is drawn. One tab stop; arrows, Page, Home and End
 * move, Enter opens, Space chooses.
 */
export function DataGrid<Row>(props: DataGridProps<Row>) {
  const { columns, rows, rowKey, rowHeight = 32, selected, onSelect, sort, onEndReached } = props
  const { t } = useTranslation()
  const base = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState(0)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
  })
  const drawn = virtual.getVirtualItems()
  const lastDrawn = drawn.at(-1)?.index ?? -1
  useEffect(() => {
    if (lastDrawn >= rows.length - 20) onEndReached?.()
  }, [lastDrawn, rows.length, onEndReached])

  const choosing = selected !== undefined && onSelect !== undefined
  const tracks = {
    '--tracks': `${choosing ? '36px ' : ''}${columns.map(({ width }) => width).join(' ')}`,
    '--least': `${String(columns.reduce((sum, { width }) => sum + leastWidth(width), choosing ? 36 : 0))}px`,
  } as CSSProperties
  const activeRow = rows[Math.min(active, rows.length - 1)]
  const allChosen = choosing && rows.length > 0 && rows.every((row) => selected.has(rowKey(row)))

  function toggle(row: Row): void {
    if (!choosing) return
    const next = new Set(selected)
    const key = rowKey(row)
    if (!next.delete(key)) next.add(key)
    onSelect(next)
  }

  function moveTo(index: number): void {
    const inside = Math.max(0, Math.min(rows.length - 1, index))
    setActive(inside)
    virtual.scrollToIndex(inside)
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.target !== event.currentTarget) return
    const pageRows = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 320) / rowHeight) - 2)
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + pageRows,
      PageUp: active - pageRows,
      Home: 0,
      End: rows.length - 1,
    }
    const move = moves[event.key]
    if (move !== undefined) moveTo(move)
    else if (event.key === 'Enter' && activeRow !== undefined) props.onOpen?.(activeRow)
    else if (event.key === ' ' && activeRow !== undefined) toggle(activeRow)
    else return
    event.preventDefault()
  }

  return (
    <div
      className="grid"
      role="grid"
      aria-label={props.label}
      aria-rowcount={(props.total ?? rows.length) + 1}
      {...(choosing ? { 'aria-multiselectable': true } : {})}
      {...(activeRow === undefined ? {} : { 'aria-activedescendant': `${base}-${rowKey(activeRow)}` })}
      tabIndex={0}
      ref={scroller}
      style={tracks}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" className="grid-head">
        <div role="row" aria-rowindex={1}>
          {choosing && (
            <span role="columnheader" className="pick">
              <input
                type="checkbox"
                tabIndex={-1}
                aria-label={t('grid.selectAll')}
                checked={allChosen}
                onChange={() => onSelect(allChosen ? new Set() : new Set(rows.map(rowKey)))}
              />
            </span>
          )}
          {columns.map((column) => (
            <HeadCell key={column.key} column={column} sort={sort} onSort={props.onSort} />
          ))}
        </div>
      </div>
      {rows.length === 0 ? (
        <div role="rowgroup">
          <div role="row" className="grid-empty">
            <div role="gridcell">{props.empty}</div>
          </div>
        </div>
      ) : (
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {drawn.map((item) => {
            const row = rows[item.index]
            if (row === undefined) return null
            const key = rowKey(row)
            const tone = props.rowTone?.(row)
            return (
              <div
                key={key}
                id={`${base}-${key}`}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={selected?.has(key) ?? key === props.openKey}
                className={`grid-row${item.index === active ? ' active' : ''}${key === props.openKey ? ' open' : ''}${tone === undefined ? '' : ` ${tone}`}`}
                style={{ transform: `translateY(${String(item.start)}px)`, height: item.size }}
                onClick={() => {
                  setActive(item.index)
                  props.onOpen?.(row)
                }}
              >
                {choosing && (
                  <span role="gridcell" className="pick">
                    <input
                      type="checkbox"
                      tabIndex={-1}
                      aria-label={t('grid.selectRow', { row: item.index + 1 })}
                      checked={selected.has(key)}
                      onClick={(event) => event.stopPropagation()}
                      onChange={() => toggle(row)}
                    />
                  </span>
                )}
                {columns.map((column) => (
                  <span
                    key={column.key}
                    role="gridcell"
                    className={`ell${column.align === 'end' ? ' num' : ''}`}
                  >
                    {column.cell(row, item.index)}
                  </span>
                ))}
              </div>
            )
          })}
        </div>
      )}
    </div>
  )
}

/** The least pixels a track takes: head and rows must be equally wide, however narrow the window is. */
function leastWidth(track: string): number {
  return Number(/(\d+)px/.exec(track)?.[1] ?? 0)
}

function HeadCell<Row>({
  column,
  sort,
  onSort,
}: {
  readonly column: GridColumn<Row>
  readonly sort: string | undefined
  readonly onSort: ((sort: string) => void) | undefined
}) {
  const { sortKey } = column
  const className = `ell${column.align === 'end' ? ' num' : ''}`
  if (sortKey === undefined || onSort === undefined) {
    return (
      <span role="columnheader" className={className}>
        {column.head}
      </span>
    )
  }
  const direction = sort === sortKey ? 'ascending' : sort === `-${sortKey}` ? 'descending' : 'none'
  return (
    <span role="columnheader" aria-sort={direction} className={className}>
      <button type="button" onClick={() => onSort(direction === 'ascending' ? `-${sortKey}` : sortKey)}>
        {column.head}
        {direction !== 'none' && <Icon name={direction === 'ascending' ? 'up' : 'dn'} size={14} />}
      </button>
    </span>
  )
}
