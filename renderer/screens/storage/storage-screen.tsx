import { useQuery } from '@tanstack/react-query'
import { Link, useParams, useSearch } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { NodeId } from '../../../services/storage/contract.ts'
import { api } from '../../client.ts'
import { BoxLegend } from '../../components/box/box-legend.tsx'
import { BoxMap } from '../../components/box/box-map.tsx'
import { useBoxLooks } from '../../components/box/use-box-looks.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { Meter, fillPercent } from '../../components/meter.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { countText } from '../../moments.ts'

/** Freezers with their boxes, and one box as a map. */
export function StorageScreen() {
  const { t } = useTranslation(['storage', 'frame'])
  const { boxId } = useParams({ strict: false })
  const tree = useQuery(api.storage.tree.queryOptions({ input: {} }))
  const tops = (tree.data ?? []).filter(({ parentId }) => parentId === null)
  const sum = (pick: 'occupied' | 'positions') =>
    countText(tops.reduce((total, { capacity }) => total + capacity[pick], 0))
  usePageSubject(
    t('frame:screens.storage'),
    tree.isSuccess ? t('context', { occupied: sum('occupied'), positions: sum('positions') }) : '',
  )
  if (tree.isError) {
    return (
      <ProblemNotice
        what={t('frame:screens.storage')}
        error={tree.error}
        onRetry={() => void tree.refetch()}
      />
    )
  }
  if (tree.data?.length === 0) return <EmptyState icon="freezer" title={t('empty')} hint={t('emptyHint')} />
  return (
    <div style={{ display: 'grid', gridTemplateColumns: '276px minmax(0, 1fr)', height: '100%' }}>
      <nav className="scroll side" aria-label={t('freezers')}>
        <ul>
          {tree.data?.map((node) => (
            <li key={node.id} style={{ padding: '6px 16px 8px 20px' }} className="rule-b">
              {node.kind === 'box' ? (
                <Link className="link" to="/storage/$boxId" params={{ boxId: node.id }}>
                  {node.name}
                </Link>
              ) : (
                <span className="medium">{node.name}</span>
              )}
              <span className="sm t3"> {fillPercent(node.capacity)} %</span>
              <Meter value={fillPercent(node.capacity)} thin />
            </li>
          ))}
        </ul>
      </nav>
      {boxId === undefined ? <p className="empty t2">{t('chooseBox')}</p> : <Box key={boxId} boxId={boxId} />}
    </div>
  )
}

function Box({ boxId }: { readonly boxId: string }) {
  const { position } = useSearch({ strict: false })
  const map = useQuery(api.storage.boxMap.queryOptions({ input: { boxId: NodeId.parse(boxId) } }))
  const looks = useBoxLooks(map.data ?? null, 'type')
  const [selected, setSelected] = useState<string | null>(position ?? null)
  const chosen = useMemo(() => new Set(selected === null ? [] : [selected]), [selected])
  if (map.isError) return <ProblemNotice what="" error={map.error} onRetry={() => void map.refetch()} />
  if (map.data === undefined) return null
  return (
    <div style={{ display: 'grid', gridTemplateRows: 'auto minmax(0, 1fr) auto', minHeight: 0 }}>
      <div className="pane-h">
        <h2>{map.data.box.name}</h2>
        <span className="cnt">{map.data.path.join(' › ')}</span>
      </div>
      <BoxMap
        map={map.data}
        looks={looks}
        selected={chosen}
        target={map.data.nextFree}
        onSelect={setSelected}
      />
      <BoxLegend map={map.data} looks={looks} />
    </div>
  )
}
