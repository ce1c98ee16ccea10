import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { StorageNode } from '../../../services/storage/contract.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { Icon } from '../../components/icon.tsx'
import { Meter } from '../../components/meter.tsx'
import { CodeText } from '../../components/sentence.tsx'
import { countText } from '../../moments.ts'
import { useMay } from '../../session/session-store.ts'
import { kindsInside } from './furnishing.ts'
import { kindIcons, Level, levelTone } from './freezer-tree.tsx'
import { childrenByParent, placesAbove, takenPercent } from './place-tree.ts'
import { openDialog } from './placing-store.ts'

interface PlaceOverviewProps {
  readonly nodes: readonly StorageNode[]
  /** Null is the whole laboratory. */
  readonly node: StorageNode | null
}

/** What is in a freezer, shelf or rack and how full each part is; where there is no box yet it says what to add. */
export function PlaceOverview({ nodes, node }: PlaceOverviewProps) {
  const { t } = useTranslation(['storage', 'common'])
  const mayManage = useMay('storage:manage')
  const children = childrenByParent(nodes).get(node?.id ?? null) ?? []
  const path = node === null ? [] : placesAbove(nodes, node.id).map(({ name }) => name)
  return (
    <section className="place column" aria-labelledby="storage-place">
      <div className="box-h">
        <p className="path ell">
          {[...path, node === null ? t('overview.all') : t(`kind.${node.kind}`)].join(' › ')}
          {node?.code != null && (
            <>
              {' · '}
              <CodeText>{node.code}</CodeText>
            </>
          )}
        </p>
        <span />
        <h2 id="storage-place" className="ell">
          {node?.name ?? t('overview.title')}{' '}
          {node?.zone != null && <span>{t(`common:zone.${node.zone}`)}</span>}
        </h2>
        {mayManage && <PlaceActs node={node} />}
      </div>
      {node !== null && <Fill node={node} />}
      {children.length === 0 ? (
        node !== null && <NothingInside node={node} />
      ) : (
        <ul className="places scroll">
          {children.map((child) => (
            <li key={child.id}>
              <PlaceLine node={child} />
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function PlaceActs({ node }: { readonly node: StorageNode | null }) {
  const { t } = useTranslation('storage')
  return (
    <div className="place-acts">
      <button className="btn" type="button" onClick={() => openDialog({ kind: 'add', parent: node })}>
        <Icon name="plus" size={16} />
        {node === null ? t('add.top') : t('add.inside')}
      </button>
      {node !== null && (
        <>
          <button className="btn" type="button" onClick={() => openDialog({ kind: 'edit', node })}>
            {t('edit.open')}
          </button>
          <button className="btn" type="button" onClick={() => openDialog({ kind: 'remove', node })}>
            {t('remove.open')}
          </button>
        </>
      )}
    </div>
  )
}

function Fill({ node }: { readonly node: StorageNode }) {
  const { t } = useTranslation('storage')
  const { capacity } = node
  const percent = takenPercent(capacity)
  return (
    <div className="place-fill">
      <Meter value={percent} tone={levelTone(capacity.level)} limits />
      <p className="fz-full">
        <span>
          {t('overview.fill', {
            occupied: countText(capacity.occupied),
            positions: countText(capacity.positions),
            reserved: countText(capacity.reserved),
            available: countText(capacity.available),
          })}
        </span>
        <Level level={capacity.level} percent={percent} />
      </p>
    </div>
  )
}

function PlaceLine({ node }: { readonly node: StorageNode }) {
  const { t } = useTranslation('storage')
  const { capacity, kind } = node
  const percent = takenPercent(capacity)
  const content = (
    <>
      <Icon name={kindIcons[kind]} />
      <div className="ell">
        <p className="ell">
          <b>{node.name}</b>
        </p>
        {node.code !== null && (
          <p className="ell">
            <CodeText>{node.code}</CodeText>
          </p>
        )}
      </div>
      <span className="sm t3 nowrap">
        {node.grid === null
          ? t(`kind.${kind}`)
          : t('size', { rows: node.grid.rows, columns: node.grid.columns })}
      </span>
      <Meter value={percent} tone={levelTone(capacity.level)} />
      <span className="sm t2 num">
        {t('fill', { occupied: countText(capacity.occupied), positions: countText(capacity.positions) })}
      </span>
      <span className="sm num">
        <Level level={capacity.level} percent={percent} />
      </span>
    </>
  )
  return kind === 'box' ? (
    <Link className="place-line focus-in" to="/storage/$boxId" params={{ boxId: node.id }}>
      {content}
    </Link>
  ) : (
    <Link className="place-line focus-in" to="/storage" search={{ node: node.id }}>
      {content}
    </Link>
  )
}

function NothingInside({ node }: { readonly node: StorageNode }) {
  const { t } = useTranslation('storage')
  const mayManage = useMay('storage:manage')
  const kinds = kindsInside[node.kind].map((kind) => t(`kinds.${kind}`))
  const words = new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(kinds)
  return (
    <EmptyState
      icon={kindIcons[node.kind]}
      title={t('overview.empty', { name: node.name })}
      hint={t('overview.emptyHint', { kinds: words })}
    >
      {mayManage && (
        <button
          className="btn btn-1 btn-lg"
          type="button"
          onClick={() => openDialog({ kind: 'add', parent: node })}
        >
          {t('add.inside')}
        </button>
      )}
    </EmptyState>
  )
}
