import { useNavigate } from '@tanstack/react-router'
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
import type { StorageNode } from '../../../services/storage/contract.ts'
import { dragType } from '../../components/box/box-map.tsx'
import type { IconName } from '../../components/drawings.tsx'
import { Icon } from '../../components/icon.tsx'
import { Meter } from '../../components/meter.tsx'
import { Status } from '../../components/status.tsx'
import { countText } from '../../moments.ts'
import { useMay } from '../../session/session-store.ts'
import { moveInTree, placesAbove, takenPercent, type TreeRow, visibleRows } from './place-tree.ts'
import { openDialog } from './placing-store.ts'

interface FreezerTreeProps {
  readonly nodes: readonly StorageNode[]
  /** The box, freezer, shelf or rack that is shown. */
  readonly openId: string | null
  /** A tube was dragged from the map onto a box. */
  readonly onDropIntoBox: (from: string, boxId: string) => void
}

export const kindIcons: Readonly<Record<StorageNode['kind'], IconName>> = {
  room: 'open',
  freezer: 'freezer',
  shelf: 'flow',
  rack: 'plate',
  box: 'box',
}

/** Which places stand open; it outlives the screen, so that one comes back to the same tree. */
let lastExpanded: ReadonlySet<string> | null = null

/** Freezers with their shelves, racks and boxes and how full each is. One tab stop, arrows inside. */
export function FreezerTree({ nodes, openId, onDropIntoBox }: FreezerTreeProps) {
  const { t } = useTranslation('storage')
  const navigate = useNavigate()
  const mayManage = useMay('storage:manage')
  const tree = useRef<HTMLDivElement>(null)
  const [expanded, setExpanded] = useState<ReadonlySet<string>>(() => lastExpanded ?? new Set())
  const [cursor, setCursor] = useState<string | null>(null)
  const rows = useMemo(() => visibleRows(nodes, expanded), [nodes, expanded])
  const tops = nodes.filter(({ kind }) => kind === 'freezer')
  const cursorId =
    [cursor, openId].find((id) => rows.some(({ node }) => node.id === id)) ?? rows[0]?.node.id ?? null

  // What is shown can be seen in the tree, whichever way it was opened.
  useEffect(() => {
    if (openId === null) return
    const above = placesAbove(nodes, openId).map(({ id }) => id)
    setExpanded((now) => (above.every((id) => now.has(id)) ? now : new Set([...now, ...above])))
    setCursor(null)
  }, [nodes, openId])
  useEffect(() => {
    lastExpanded = expanded
  }, [expanded])
  useEffect(() => {
    if (openId !== null) rowElement(openId)?.scrollIntoView({ block: 'nearest' })
  }, [openId, rows.length])

  function rowElement(id: string): HTMLElement | null {
    return tree.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(id)}"]`) ?? null
  }

  function setOpen(id: string, isOpen: boolean): void {
    setExpanded((now) => {
      const next = new Set(now)
      if (isOpen) next.add(id)
      else next.delete(id)
      return next
    })
  }

  function show(node: StorageNode): void {
    setCursor(node.id)
    if (node.kind === 'box') void navigate({ to: '/storage/$boxId', params: { boxId: node.id } })
    else void navigate({ to: '/storage', search: { node: node.id } })
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (cursorId === null || event.ctrlKey || event.altKey || event.metaKey) return
    if (event.key === 'Enter' || event.key === ' ') {
      const node = nodes.find(({ id }) => id === cursorId)
      if (node !== undefined) show(node)
      event.preventDefault()
      return
    }
    const move = moveInTree(rows, cursorId, event.key)
    if (move === null) return
    event.preventDefault()
    if (move.kind === 'go') {
      setCursor(move.id)
      rowElement(move.id)?.focus()
    } else {
      setOpen(move.id, move.kind === 'expand')
    }
  }

  function onClick({ node, expandable, expanded: isOpen }: TreeRow): void {
    if (expandable) setOpen(node.id, node.id === openId ? !isOpen : true)
    show(node)
  }

  return (
    <aside className="sto-side l column" aria-labelledby="storage-tree">
      <div className="pane-h">
        <h2 id="storage-tree">{t('freezers')}</h2>
        <span className="cnt">{tops.length}</span>
        <span className="end">
          <button className="tool" type="button" onClick={() => openDialog({ kind: 'find-space' })}>
            <Icon name="search" size={16} />
            {t('space.open')}
          </button>
          {mayManage && (
            <button
              className="tool"
              type="button"
              aria-label={t('add.top')}
              title={t('add.top')}
              onClick={() => openDialog({ kind: 'add', parent: null })}
            >
              <Icon name="plus" size={16} />
            </button>
          )}
        </span>
      </div>
      <div
        className="sto-tree scroll"
        role="tree"
        aria-label={t('freezers')}
        ref={tree}
        onKeyDown={onKeyDown}
      >
        {rows.map((row) => (
          <Row
            key={row.node.id}
            row={row}
            isOpen={row.node.id === openId}
            isCursor={row.node.id === cursorId}
            onClick={() => onClick(row)}
            onToggle={() => setOpen(row.node.id, !row.expanded)}
            onDropTube={onDropIntoBox}
          />
        ))}
      </div>
    </aside>
  )
}

interface RowProps {
  readonly row: TreeRow
  readonly isOpen: boolean
  readonly isCursor: boolean
  readonly onClick: () => void
  readonly onToggle: () => void
  readonly onDropTube: (from: string, boxId: string) => void
}

function Row({ row, isOpen, isCursor, onClick, onToggle, onDropTube }: RowProps) {
  const { node, level, expandable, expanded } = row
  const [isOver, setOver] = useState(false)
  const isBox = node.kind === 'box'
  const dropProps = isBox
    ? {
        onDragOver: (event: DragEvent) => {
          if (!event.dataTransfer.types.includes(dragType)) return
          event.preventDefault()
          setOver(true)
        },
        onDragLeave: () => setOver(false),
        onDrop: (event: DragEvent) => {
          setOver(false)
          const from = event.dataTransfer.getData(dragType)
          if (from !== '') onDropTube(from, node.id)
        },
      }
    : {}
  return (
    <div
      className={`tree-row ${node.kind === 'freezer' ? 'fz' : 'kid'}${isOpen ? ' sel' : ''}${isOver ? ' over' : ''}`}
      style={{ '--level': level - 1 } as CSSProperties}
      role="treeitem"
      aria-level={level}
      aria-selected={isOpen}
      {...(expandable ? { 'aria-expanded': expanded } : {})}
      tabIndex={isCursor ? 0 : -1}
      data-node={node.id}
      onClick={onClick}
      {...dropProps}
    >
      {node.kind === 'freezer' ? (
        <Freezer node={node} expandable={expandable} expanded={expanded} onToggle={onToggle} />
      ) : (
        <Kid node={node} expandable={expandable} expanded={expanded} onToggle={onToggle} />
      )}
    </div>
  )
}

interface PartProps {
  readonly node: StorageNode
  readonly expandable: boolean
  readonly expanded: boolean
  readonly onToggle: () => void
}

function Freezer({ node, expandable, expanded, onToggle }: PartProps) {
  const { t } = useTranslation(['storage', 'common'])
  const { capacity } = node
  const percent = takenPercent(capacity)
  return (
    <>
      <p className="fz-name">
        <b>{node.name}</b>
        <span>{node.zone === null ? t('noZone') : t(`common:zone.${node.zone}`)}</span>
        {expandable && <Toggle expanded={expanded} onToggle={onToggle} />}
      </p>
      <Meter value={percent} tone={levelTone(capacity.level)} limits />
      <p className="fz-full">
        <span>
          {t(capacity.reserved > 0 ? 'fillReserved' : 'fill', {
            occupied: countText(capacity.occupied),
            positions: countText(capacity.positions),
            reserved: countText(capacity.reserved),
          })}
        </span>
        <Level level={capacity.level} percent={percent} />
      </p>
    </>
  )
}

function Kid({ node, expandable, expanded, onToggle }: PartProps) {
  const { t } = useTranslation('common')
  const percent = takenPercent(node.capacity)
  const { level } = node.capacity
  return (
    <>
      {expandable ? (
        <Toggle expanded={expanded} onToggle={onToggle} />
      ) : (
        <Icon name={kindIcons[node.kind]} size={16} />
      )}
      <span className="ell" title={node.name}>
        {node.name}
      </span>
      <Meter value={percent} tone={levelTone(level)} thin />
      <span className={`pc${level === 'normal' ? '' : level === 'warning' ? ' warn-t' : ' bad-t'}`}>
        {t('percent', { value: percent })}
      </span>
    </>
  )
}

/** For the mouse only; the arrows do it for the keyboard. */
function Toggle({ expanded, onToggle }: { readonly expanded: boolean; readonly onToggle: () => void }) {
  return (
    <span
      className="toggle"
      onClick={(event) => {
        event.stopPropagation()
        onToggle()
      }}
    >
      <Icon name={expanded ? 'down' : 'right'} size={16} />
    </span>
  )
}

/** How full, with the word for it from 80 % on. */
export function Level({
  level,
  percent,
}: {
  readonly level: StorageNode['capacity']['level']
  readonly percent: number
}) {
  const { t } = useTranslation(['storage', 'common'])
  const words = t('common:percent', { value: percent })
  if (level === 'normal') return <span>{words}</span>
  const tone = level === 'warning' ? 'warn' : 'bad'
  return <Status tone={tone} word={t(`level.${level}`, { percent })} />
}

export function levelTone(level: StorageNode['capacity']['level']): 'normal' | 'warn' | 'bad' {
  return level === 'normal' ? 'normal' : level === 'warning' ? 'warn' : 'bad'
}
