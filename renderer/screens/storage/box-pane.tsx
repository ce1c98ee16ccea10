import { Menu } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { StorageNode } from '../../../services/storage/contract.ts'
import type { BoxContents, ColourBy } from '../../components/box/box-colours.ts'
import { BoxLegend } from '../../components/box/box-legend.tsx'
import { BoxMap } from '../../components/box/box-map.tsx'
import { useBoxLooks } from '../../components/box/use-box-looks.ts'
import { capColour } from '../../components/cap.tsx'
import { Icon } from '../../components/icon.tsx'
import { Notice } from '../../components/notice.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { CodeText } from '../../components/sentence.tsx'
import { useMay } from '../../session/session-store.ts'
import { OpenConflicts } from '../sync/contested.tsx'
import { select } from './placing.ts'
import { changePlacing, openDialog, useSitting } from './placing-store.ts'
import { useTypeLetter } from './type-letter.ts'

interface BoxPaneProps {
  readonly map: BoxContents
  /** What Enter, a double click and the primary button do in a position. */
  readonly onEnter: () => void
  /** A single letter inside the map. */
  readonly onKey: (key: string) => boolean
  readonly onDrop: (from: string, to: string) => void
}

/** One box as a map, with what its colours mean. */
export function BoxPane({ map, onEnter, onKey, onDrop }: BoxPaneProps) {
  const { t } = useTranslation(['storage', 'common'])
  const pane = useRef<HTMLElement>(null)
  const [by, setBy] = useState<ColourBy>('type')
  const looks = useBoxLooks(map, by)
  const letterOf = useTypeLetter()
  const mayPlace = useMay('storage:place')
  const { placing, recent } = useSitting()
  const isAiming = placing.hand.length > 0 || placing.filling
  const material = placing.hand[0]?.material ?? null
  const fresh = new Set(
    recent
      .filter(({ boxId, position, containerId }) => {
        const at = map.positions.find(({ label }) => label === position)
        return boxId === map.box.id && at?.container?.id === containerId
      })
      .map(({ position }) => position),
  )

  // The page's next action has the focus on arrival; a click elsewhere is never taken away.
  useEffect(() => {
    const { activeElement } = document
    if (activeElement !== document.body && activeElement?.id !== 'page') return
    pane.current?.querySelector<HTMLElement>('[role="gridcell"][tabindex="0"]')?.focus()
  }, [map.box.id])

  return (
    <section className="boxv" aria-labelledby="storage-box" ref={pane}>
      <div className="box-h">
        <p className="path ell" title={map.path.join(' › ')}>
          {map.path.join(' › ')}
          {map.box.code !== null && (
            <>
              {' · '}
              <CodeText>{map.box.code}</CodeText>
            </>
          )}
        </p>
        <BoxMenu box={map.box} />
        <h2 id="storage-box" className="ell">
          {map.box.name}{' '}
          <span>
            {t('fill', { occupied: map.box.capacity.occupied, positions: map.box.capacity.positions })}
          </span>
        </h2>
        <div className="colour-by">
          <span className="sm t3">{t('common:box.colourBy')}</span>
          <Segmented
            label={t('common:box.colourBy')}
            value={by}
            onChange={setBy}
            options={[
              { value: 'type', label: t('common:box.byType') },
              { value: 'state', label: t('common:box.byState') },
              { value: 'age', label: t('common:box.byAge') },
              { value: 'project', label: t('common:box.byProject') },
            ]}
          />
        </div>
      </div>
      {map.contested.length > 0 && (
        <Notice tone="bad" detail={t('contestedDetail')} action={<OpenConflicts />}>
          {map.contested
            .map(({ position, container }) => t('contested', { position, code: container.label }))
            .join(' ')}
        </Notice>
      )}
      <div className="map-room">
        <BoxMap
          map={map}
          looks={looks}
          selected={placing.selected}
          target={isAiming ? placing.framed : null}
          inHand={
            material === null
              ? isAiming
                ? { letter: '', colour: '' }
                : null
              : { letter: letterOf(material), colour: capColour(material) }
          }
          fresh={fresh}
          onSelect={(label, how) => changePlacing((now) => select(now, map, label, how))}
          onActivate={onEnter}
          onKey={onKey}
          {...(mayPlace ? { onDrop } : {})}
        />
      </div>
      <BoxLegend map={map} looks={looks} freshCount={fresh.size} />
    </section>
  )
}

function BoxMenu({ box }: { readonly box: StorageNode }) {
  const { t } = useTranslation('storage')
  const mayManage = useMay('storage:manage')
  const mayPlace = useMay('storage:place')
  if (!mayPlace && !mayManage) return <span />
  return (
    <span className="box-acts">
      {mayPlace && (
        <button className="tool" type="button" onClick={() => openDialog({ kind: 'rack-scan', box })}>
          <Icon name="scanner" size={16} />
          {t('rack.open')}
        </button>
      )}
      {mayManage && (
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <button className="tool" type="button" aria-label={t('more')}>
              <Icon name="more" size={16} />
            </button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              leftSection={<Icon name="pen" size={16} />}
              onClick={() => openDialog({ kind: 'edit', node: box })}
            >
              {t('edit.box')}
            </Menu.Item>
            <Menu.Item
              leftSection={<Icon name="trash" size={16} />}
              onClick={() => openDialog({ kind: 'remove', node: box })}
            >
              {t('remove.box')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      )}
    </span>
  )
}
