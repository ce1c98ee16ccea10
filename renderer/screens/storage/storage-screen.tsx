import { useQuery } from '@tanstack/react-query'
import { useParams, useSearch } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { NodeId, type StorageNode } from '../../../services/storage/contract.ts'
import { api } from '../../client.ts'
import type { BoxContents } from '../../components/box/box-colours.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { countText } from '../../moments.ts'
import { useScanMeaning } from '../../scan/scanning.ts'
import { useMay, useMe } from '../../session/session-store.ts'
import { BoxPane } from './box-pane.tsx'
import { doEnter, doOther, doPrimary } from './carry-out.ts'
import { FreezerTree } from './freezer-tree.tsx'
import { HandPane } from './hand-pane.tsx'
import { PlaceOverview } from './place-overview.tsx'
import { announceScan, frame } from './placing.ts'
import { act, dragIntoBox, dragTo, putDownAll, showBoxNow } from './placing-acts.ts'
import { beginSitting, changePlacing, openDialog, readPlacing, useSitting } from './placing-store.ts'
import { actKeys, actsFor, type OtherAct, type PositionActs } from './position-acts.ts'
import { actOnStorageScan } from './scan-in-storage.ts'
import { StorageDialogs } from './storage-dialogs.tsx'
import { isZoneAllowed } from './zone-rule.ts'
import './storage.css'

/** Freezers and how full they are, one box as a map, and what is in hand to be placed there. */
export function StorageScreen() {
  const { t } = useTranslation(['storage', 'frame', 'common'])
  const { boxId = null } = useParams({ strict: false })
  const { node: nodeId = null, position = null } = useSearch({ strict: false })
  const me = useMe()
  const mayManage = useMay('storage:manage')
  const tree = useQuery(api.storage.tree.queryOptions({ input: {} }))
  const map = useShownBox(boxId, position)
  useEffect(() => beginSitting(me.user.id), [me.user.id])
  useStorageScans(boxId, map.data ?? null)

  const nodes = tree.data ?? []
  const freezers = nodes.filter(({ kind }) => kind === 'freezer')
  const boxes = nodes.filter(({ kind }) => kind === 'box')
  const sum = (pick: 'occupied' | 'positions') =>
    countText(boxes.reduce((total, { capacity }) => total + capacity[pick], 0))
  usePageSubject(
    t('frame:screens.storage'),
    boxes.length > 0
      ? t('context', { count: freezers.length, occupied: sum('occupied'), positions: sum('positions') })
      : '',
  )

  if (tree.data === undefined) {
    return tree.isError ? (
      <ProblemNotice
        what={t('frame:screens.storage')}
        error={tree.error}
        onRetry={() => void tree.refetch()}
      />
    ) : (
      <p className="empty t2">{t('common:loading', { what: t('freezers') })}</p>
    )
  }
  if (tree.data.length === 0) {
    return (
      <>
        <EmptyState icon="freezer" title={t('empty')} hint={t('emptyHint')}>
          {mayManage && (
            <button
              className="btn btn-1 btn-lg"
              type="button"
              onClick={() => openDialog({ kind: 'add', parent: null })}
            >
              {t('add.first')}
            </button>
          )}
        </EmptyState>
        <StorageDialogs nodes={nodes} map={null} />
      </>
    )
  }
  const node = nodes.find(({ id }) => id === nodeId) ?? null
  return (
    <Workplace
      nodes={tree.data}
      openId={boxId ?? node?.id ?? null}
      node={node}
      boxId={boxId}
      map={map.data ?? null}
      error={boxId !== null && map.isError ? map.error : null}
    />
  )
}

interface WorkplaceProps {
  readonly nodes: readonly StorageNode[]
  readonly openId: string | null
  readonly node: StorageNode | null
  readonly boxId: string | null
  readonly map: BoxContents | null
  readonly error: unknown
}

function Workplace({ nodes, openId, node, boxId, map, error }: WorkplaceProps) {
  const { t } = useTranslation(['storage', 'common'])
  const acts = useActs(map)
  const { placing } = useSitting()
  usePageKeys(map, acts)
  const onOther = (other: OtherAct) => void act(() => doOther(other, map))

  function onKey(key: string): boolean {
    if (map === null) return false
    const letter = key.toLowerCase()
    if (letter === actKeys.take && acts.primary === 'take') void act(() => doPrimary('take', map))
    else if (letter === actKeys.fill && acts.primary === 'fill') void act(() => doPrimary('fill', map))
    else {
      const other = acts.others.find((each) => actKeys[each] === letter)
      if (other === undefined) return false
      onOther(other)
    }
    return true
  }

  return (
    <div className="sto">
      <FreezerTree
        nodes={nodes}
        openId={openId}
        onDropIntoBox={(from, target) => {
          if (map !== null) void act(() => dragIntoBox(map, from, placing.selected, target))
        }}
      />
      {boxId === null ? (
        <PlaceOverview nodes={nodes} node={node} />
      ) : map !== null ? (
        <BoxPane
          map={map}
          onEnter={() => void act(() => doEnter(map, acts))}
          onKey={onKey}
          onDrop={(from, to) => void act(() => dragTo(map, from, to, placing.selected))}
        />
      ) : error === null ? (
        <p className="empty t2">{t('common:loading', { what: t('theBox') })}</p>
      ) : (
        <ProblemNotice what={t('theBox')} error={error} onRetry={() => void showBoxNow(boxId, null)} />
      )}
      <HandPane
        map={map}
        acts={acts}
        onPrimary={(primary) => map !== null && void act(() => doPrimary(primary, map))}
        onOther={onOther}
      />
      <StorageDialogs nodes={nodes} map={map} />
    </div>
  )
}

/** The box in the address, kept in step with what scans have in mind. */
function useShownBox(boxId: string | null, position: string | null) {
  const map = useQuery(
    api.storage.boxMap.queryOptions({
      input: { boxId: NodeId.parse(boxId ?? '00000000-0000-7000-8000-000000000000') },
      enabled: boxId !== null,
    }),
  )
  useEffect(() => {
    if (boxId === null) {
      changePlacing((placing) => frame({ ...placing, boxId: null, filling: false }, null))
    } else if (readPlacing().boxId !== boxId || position !== null) {
      // What could not be read is said in the middle of the page, by the query.
      showBoxNow(boxId, position).catch(() => undefined)
    }
  }, [boxId, position])
  useEffect(() => () => changePlacing((placing) => ({ ...placing, filling: false, refusal: null })), [])
  return boxId === null ? { ...map, data: undefined } : map
}

function useStorageScans(boxId: string | null, map: BoxContents | null): void {
  const { t } = useTranslation('storage')
  const mayPlace = useMay('storage:place')
  const { placing } = useSitting()
  const says = announceScan(boxId === null ? { ...placing, boxId: null } : placing, map)
  useScanMeaning(
    mayPlace
      ? {
          sentence: t(`scan.${says.say}`, says.values),
          elseSentence: t(`scanElse.${says.else}`, says.values),
          handle: actOnStorageScan,
        }
      : null,
  )
}

function useActs(map: BoxContents | null): PositionActs {
  const { placing } = useSitting()
  const permissions = {
    place: useMay('storage:place'),
    manage: useMay('storage:manage'),
    dispose: useMay('storage:dispose'),
    override: useMay('storage:override'),
  }
  if (map === null) return { primary: null, others: [] }
  const fits = placing.hand.every(({ material }) => isZoneAllowed(material, map.box.zone))
  return actsFor(placing, map, permissions, fits)
}

/** Esc puts down and Enter does the next thing, also when nothing has the focus. In a field or dialog they are its own. */
function usePageKeys(map: BoxContents | null, acts: PositionActs): void {
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent): void {
      if (event.defaultPrevented || document.querySelector('[role="dialog"]') !== null) return
      const { target } = event
      const isNowhere = target === document.body || (target instanceof HTMLElement && target.id === 'page')
      const { hand, filling } = readPlacing()
      if (event.key === 'Escape' && (hand.length > 0 || filling)) {
        event.preventDefault()
        putDownAll()
      } else if (event.key === 'Enter' && isNowhere && map !== null) {
        event.preventDefault()
        void act(() => doEnter(map, acts))
      }
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  }, [map, acts])
}
