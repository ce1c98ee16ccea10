import { Menu } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { SampleId } from '../../../services/samples/contract.ts'
import { type Container, ContainerId } from '../../../services/storage/contract.ts'
import { api } from '../../client.ts'
import type { BoxContents, BoxPosition } from '../../components/box/box-colours.ts'
import { Cap } from '../../components/cap.tsx'
import type { IconName } from '../../components/drawings.tsx'
import { Icon } from '../../components/icon.tsx'
import { Notice } from '../../components/notice.tsx'
import { CodeText, Sentence } from '../../components/sentence.tsx'
import { ContainerStatus, SampleStatus, Status } from '../../components/status.tsx'
import { shortMoment } from '../../moments.ts'
import { WaitingScans } from '../bench/waiting-scans.tsx'
import { PlacedList } from './placed-list.tsx'
import { rangeWords } from './placing-acts.ts'
import { tubesAt } from './placing.ts'
import { useSitting } from './placing-store.ts'
import { actKeys, type OtherAct, plannedFor, type PositionActs, type PrimaryAct } from './position-acts.ts'
import { useTypeLetter, useTypeName } from './type-letter.ts'
import { allowedZones, isZoneAllowed } from './zone-rule.ts'

interface HandPaneProps {
  readonly map: BoxContents | null
  readonly acts: PositionActs
  readonly onPrimary: (act: PrimaryAct) => void
  readonly onOther: (act: OtherAct) => void
}

/** What is in hand, where it goes, whether it may, and what was placed here. */
export function HandPane({ map, acts, onPrimary, onOther }: HandPaneProps) {
  const { t } = useTranslation('storage')
  return (
    <aside className="sto-side r column" aria-label={t('position.pane')}>
      <WaitingScans />
      <InHand onPutDown={map === null ? () => onOther('put-down') : null} />
      {map !== null && <SelectedPosition map={map} acts={acts} onPrimary={onPrimary} onOther={onOther} />}
      {map !== null && <PlacedList map={map} />}
    </aside>
  )
}

function InHand({ onPutDown }: { readonly onPutDown: (() => void) | null }) {
  const { t } = useTranslation('storage')
  const { placing } = useSitting()
  const { hand, filling } = placing
  const [first] = hand
  return (
    <section className="sec" aria-labelledby="storage-hand">
      <h2 id="storage-hand">{t('hand.title')}</h2>
      {first === undefined ? (
        <p className="sm t2 nothing">{t(filling ? 'hand.filling' : 'hand.nothing')}</p>
      ) : hand.length > 1 ? (
        <>
          <p className="strong many">{t('hand.many', { count: hand.length })}</p>
          <ul className="in-hand-list">
            {hand.slice(0, 6).map((tube) => (
              <li key={tube.id}>
                <b>{tube.place?.position}</b>
                <span className="ell">
                  <CodeText>{tube.label}</CodeText>
                </span>
              </li>
            ))}
          </ul>
          {hand.length > 6 && <p className="sm t3">{t('hand.more', { count: hand.length - 6 })}</p>}
        </>
      ) : (
        <TubeInHand tube={first} />
      )}
      {onPutDown !== null && first !== undefined && (
        <div className="acts">
          <ActButton act="put-down" onRun={onPutDown} />
        </div>
      )}
    </section>
  )
}

function TubeInHand({ tube }: { readonly tube: Container }) {
  const { t } = useTranslation('storage')
  const place = tube.place ?? tube.reservedPlace
  return (
    <>
      <TubeHead material={tube.material} label={tube.label} sampleId={tube.sampleId} />
      <TubeFacts sampleId={tube.sampleId}>
        {place === null ? (
          <>
            <dt>{t('hand.place')}</dt>
            <dd>
              <ContainerStatus state={tube.state} />
            </dd>
          </>
        ) : (
          <>
            <dt>{tube.state === 'checked_out' ? t('hand.keptPlace') : t('hand.comesFrom')}</dt>
            <dd>
              {place.position}, {place.boxName}
            </dd>
          </>
        )}
      </TubeFacts>
    </>
  )
}

interface TubeHeadProps {
  readonly material: string | null
  readonly label: string
  readonly sampleId: string | null
}

function TubeHead({ material, label, sampleId }: TubeHeadProps) {
  const { t } = useTranslation('storage')
  const letterOf = useTypeLetter()
  const nameOf = useTypeName()
  const sample = useSample(sampleId)
  const words = [
    material === null ? t('hand.noMaterial') : nameOf(material),
    sample?.volumeUl == null ? null : t('hand.volume', { volume: sample.volumeUl }),
  ].filter((word) => word !== null)
  return (
    <div className="hand">
      <Cap material={material} letter={material === null ? '·' : letterOf(material)} />
      <div>
        <p className="ell">
          <CodeText>{label}</CodeText>
        </p>
        <p className="sm t2 ell">{words.join(', ')}</p>
      </div>
    </div>
  )
}

function TubeFacts({
  sampleId,
  children,
}: {
  readonly sampleId: string | null
  readonly children: ReactNode
}) {
  const { t } = useTranslation('storage')
  const sample = useSample(sampleId)
  return (
    <dl className="kv">
      {sample !== null && (
        <>
          <dt>{t('hand.sample')}</dt>
          <dd>
            <Link className="link ell" to="/samples/$id" params={{ id: sample.id }} title={sample.name}>
              {sample.name}
            </Link>
          </dd>
          {sample.donor !== null && (
            <>
              <dt>{t('hand.donor')}</dt>
              <dd>{sample.donor}</dd>
            </>
          )}
          <dt>{t('hand.state')}</dt>
          <dd>
            <SampleStatus state={sample.state} />
          </dd>
        </>
      )}
      {children}
    </dl>
  )
}

interface SelectedProps {
  readonly map: BoxContents
  readonly acts: PositionActs
  readonly onPrimary: (act: PrimaryAct) => void
  readonly onOther: (act: OtherAct) => void
}

function SelectedPosition({ map, acts, onPrimary, onOther }: SelectedProps) {
  const { t } = useTranslation('storage')
  const { placing } = useSitting()
  const { selected, hand, refusal } = placing
  const position = map.positions.find(({ label }) => label === placing.framed)
  // The checks say it already where the frame stands on the position that was refused.
  const isSaid = refusal?.kind !== 'other' && refusal?.position === placing.framed
  const shownRefusal = refusal !== null && refusal.boxId === map.box.id && !isSaid ? refusal : null
  return (
    <section className="sec" aria-labelledby="storage-position">
      <h2 id="storage-position">{t('position.title', { count: Math.max(1, selected.size) })}</h2>
      {selected.size > 1 ? (
        <Several map={map} selected={selected} />
      ) : position === undefined ? (
        <p className="sm t2 nothing">{t(map.nextFree === null ? 'position.full' : 'position.none')}</p>
      ) : (
        <One map={map} position={position} />
      )}
      {shownRefusal !== null && hand.length > 0 && (
        <Notice tone="bad" boxed detail={t('refused.stillHere', { count: hand.length })}>
          <Sentence text={shownRefusal.words} />
        </Notice>
      )}
      {(acts.primary !== null || acts.others.length > 0) && (
        <div className="acts">
          {acts.primary !== null && <PrimaryButton act={acts.primary} map={map} onRun={onPrimary} />}
          {acts.others
            .filter((act) => !rareActs.has(act))
            .map((act) => (
              <ActButton key={act} act={act} onRun={() => onOther(act)} />
            ))}
          <RareActs acts={acts.others.filter((act) => rareActs.has(act))} onOther={onOther} />
        </div>
      )}
    </section>
  )
}

function Several({ map, selected }: { readonly map: BoxContents; readonly selected: ReadonlySet<string> }) {
  const { t } = useTranslation('storage')
  const chosen = map.positions.filter(({ label }) => selected.has(label))
  const count = (state: BoxPosition['state']) => chosen.filter((each) => each.state === state).length
  return (
    <>
      <div className="big">
        <b>{chosen.length}</b>
        <span className="sm t2">{rangeWords(map, selected)}</span>
      </div>
      <ul className="checks">
        {count('occupied') > 0 && (
          <Check tone="info" icon="tube" words={t('several.tubes', { count: count('occupied') })} />
        )}
        {count('available') > 0 && (
          <Check tone="info" icon="ring" words={t('several.free', { count: count('available') })} />
        )}
        {count('reserved') > 0 && (
          <Check tone="info" icon="clock" words={t('several.reserved', { count: count('reserved') })} />
        )}
        {count('out_of_use') > 0 && (
          <Check tone="info" icon="ban" words={t('several.outOfUse', { count: count('out_of_use') })} />
        )}
      </ul>
    </>
  )
}

function One({ map, position }: { readonly map: BoxContents; readonly position: BoxPosition }) {
  const { placing } = useSitting()
  const isAiming = placing.hand.length > 0 || placing.filling
  return (
    <>
      <div className="big">
        <b>{position.label}</b>
        <PositionChip map={map} position={position} />
      </div>
      {isAiming ? <Checks map={map} position={position} /> : <Holding position={position} />}
    </>
  )
}

function PositionChip({ map, position }: { readonly map: BoxContents; readonly position: BoxPosition }) {
  const { t } = useTranslation('storage')
  switch (position.state) {
    case 'available':
      return (
        <Status
          tone="now"
          icon="ring"
          chip
          word={t(map.nextFree === position.label ? 'position.next' : 'position.available')}
        />
      )
    case 'occupied':
      return <Status tone="idle" icon="tube" chip word={t('position.occupied')} />
    case 'reserved':
      return (
        <Status
          tone={position.container === null ? 'idle' : 'warn'}
          icon={position.container === null ? 'clock' : 'hand'}
          chip
          word={t(position.container === null ? 'position.reserved' : 'position.kept')}
        />
      )
    case 'out_of_use':
      return <Status tone="idle" icon="ban" chip word={t('position.outOfUse')} />
  }
}

/** Whether what is in hand may go here, in words. */
function Checks({ map, position }: { readonly map: BoxContents; readonly position: BoxPosition }) {
  const { t } = useTranslation(['storage', 'common'])
  const nameOf = useTypeName()
  const { placing } = useSitting()
  const [first] = placing.hand
  const kin = useSameDonor(first, map)
  const zone = map.box.zone
  const materials = [...new Set(placing.hand.map(({ material }) => material))]
  const wrong = materials.find((material) => !isZoneAllowed(material, zone)) ?? null
  const planned = placing.hand.length > 1 ? plannedFor(placing, map) : null
  return (
    <ul className="checks">
      {zone === null ? (
        <Check tone="info" icon="snow" words={t('check.noZone')} />
      ) : wrong !== null ? (
        <Check
          tone="bad"
          words={t('check.zoneWrongAllowed', {
            material: nameOf(wrong),
            zone: t(`common:zone.${zone}`),
            allowed: zoneList.format(allowedZones(wrong).map((each) => t(`common:zone.${each}`))),
          })}
        />
      ) : first === undefined ? (
        <Check tone="info" icon="snow" words={t('check.zoneIs', { zone: t(`common:zone.${zone}`) })} />
      ) : (
        <Check
          tone="ok"
          words={t('check.zoneRight', {
            material: materials
              .map((each) => (each === null ? t('hand.noMaterial') : nameOf(each)))
              .join(', '),
            zone: t(`common:zone.${zone}`),
          })}
        />
      )}
      <FreeCheck position={position} />
      {placing.hand.length > 1 &&
        (planned === null ? (
          <Check
            tone="bad"
            words={t('refused.tooFew', { count: placing.hand.length, from: position.label })}
          />
        ) : (
          <Check
            tone="ok"
            words={t('check.planned', { count: planned.length, ranges: rangeWords(map, planned) })}
          />
        ))}
      {planned !== null && planned.length < placing.hand.length && (
        <Check
          tone="info"
          icon="tube"
          words={t('check.stayInHand', { count: placing.hand.length - planned.length })}
        />
      )}
      {kin.length > 0 && <Check tone="ok" words={t('check.sameDonor', { positions: listWords(kin) })} />}
    </ul>
  )
}

function FreeCheck({ position }: { readonly position: BoxPosition }) {
  const { t } = useTranslation('storage')
  const { state, label, container } = position
  switch (state) {
    case 'available':
      return <Check tone="ok" words={t('check.free', { position: label })} />
    case 'occupied':
      return <Check tone="bad" words={t('refused.taken', { position: label, who: container?.label ?? '' })} />
    case 'reserved':
      return container === null ? (
        <Check
          tone="warn"
          words={t('refused.reserved', { position: label, who: position.reservedFor ?? '' })}
        />
      ) : (
        <Check tone="bad" words={t('refused.kept', { position: label, who: container.label })} />
      )
    case 'out_of_use':
      return (
        <Check tone="bad" words={t('refused.out-of-use', { position: label, who: position.reason ?? '' })} />
      )
  }
}

const checkIcons = { ok: 'check', bad: 'bad', warn: 'warn' } as const

function Check({
  tone,
  icon,
  words,
}: {
  readonly tone: 'ok' | 'bad' | 'warn' | 'info'
  readonly icon?: IconName
  readonly words: string
}) {
  return (
    <li className={tone}>
      <Icon name={icon ?? (tone === 'info' ? 'ring' : checkIcons[tone])} size={16} />
      <span>
        <Sentence text={words} />
      </span>
    </li>
  )
}

/** What lies in the selected position. */
function Holding({ position }: { readonly position: BoxPosition }) {
  const { t } = useTranslation('storage')
  const { container, state } = position
  if (state === 'available') return <p className="sm t2 nothing">{t('position.availableHint')}</p>
  if (state === 'out_of_use') {
    return (
      <dl className="kv">
        <dt>{t('position.reason')}</dt>
        <dd>{position.reason}</dd>
      </dl>
    )
  }
  if (container === null) {
    return (
      <dl className="kv">
        <dt>{t('position.for')}</dt>
        <dd>{position.reservedFor}</dd>
        {position.reservedUntil !== null && (
          <>
            <dt>{t('position.until')}</dt>
            <dd>{shortMoment(position.reservedUntil)}</dd>
          </>
        )}
      </dl>
    )
  }
  return (
    <>
      <TubeHead material={container.material} label={container.label} sampleId={container.sampleId} />
      <TubeFacts sampleId={container.sampleId}>
        {state === 'reserved' && <Holder containerId={container.id} />}
        {state === 'occupied' && container.placedAt !== null && (
          <>
            <dt>{t('position.since')}</dt>
            <dd>{shortMoment(container.placedAt)}</dd>
          </>
        )}
      </TubeFacts>
    </>
  )
}

function Holder({ containerId }: { readonly containerId: string }) {
  const { t } = useTranslation('storage')
  const held = useQuery(
    api.storage.getContainer.queryOptions({ input: { id: ContainerId.parse(containerId) } }),
  )
  if (held.data?.heldBy == null) return null
  return (
    <>
      <dt>{t('position.heldBy')}</dt>
      <dd>{held.data.heldBy}</dd>
      {held.data.since !== null && (
        <>
          <dt>{t('position.outSince')}</dt>
          <dd>{shortMoment(held.data.since)}</dd>
        </>
      )}
    </>
  )
}

function PrimaryButton({
  act,
  map,
  onRun,
}: {
  readonly act: PrimaryAct
  readonly map: BoxContents
  readonly onRun: (act: PrimaryAct) => void
}) {
  const { t } = useTranslation('storage')
  const { placing } = useSitting()
  const { hand, framed } = placing
  const position = (act === 'place-next' ? map.nextFree : framed) ?? ''
  const count = act === 'take' ? Math.max(1, tubesAt(map, placing.selected).length) : hand.length
  // Enter acts on the framed position, so what does something else has no key.
  const key =
    act === 'stop-filling'
      ? t('key.escape')
      : act === 'place-next' || act === 'override'
        ? null
        : t('key.enter')
  return (
    <button
      className={`btn btn-lg primary${act === 'override' ? '' : ' btn-1'}`}
      type="button"
      onClick={() => onRun(act)}
    >
      {t(`act.${act}`, { position, count })}
      {key !== null && <kbd>{key}</kbd>}
    </button>
  )
}

/** Done once in a while, so they do not stand beside what is done all day. */
const rareActs: ReadonlySet<OtherAct> = new Set(['take-out', 'dispose'])

function RareActs({
  acts,
  onOther,
}: {
  readonly acts: readonly OtherAct[]
  readonly onOther: (act: OtherAct) => void
}) {
  const { t } = useTranslation('storage')
  if (acts.length === 0) return null
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <button className="btn" type="button">
          {t('act.more')}
          <Icon name="down" size={16} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {acts.map((act) => (
          <Menu.Item key={act} onClick={() => onOther(act)}>
            {t(`act.${act}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function ActButton({ act, onRun }: { readonly act: OtherAct; readonly onRun: () => void }) {
  const { t } = useTranslation('storage')
  const key = act === 'put-down' ? t('key.escape') : actKeys[act]?.toUpperCase()
  return (
    <button className="btn" type="button" onClick={onRun}>
      {t(`act.${act}`)}
      {key !== undefined && <kbd>{key}</kbd>}
    </button>
  )
}

function useSample(sampleId: string | null) {
  const [none] = useState(() => SampleId.parse('00000000-0000-7000-8000-000000000000'))
  const sample = useQuery(
    api.samples.get.queryOptions({
      input: { id: sampleId === null ? none : SampleId.parse(sampleId) },
      enabled: sampleId !== null,
      staleTime: 10_000,
    }),
  )
  return sampleId === null ? null : (sample.data ?? null)
}

/** Positions of this box that hold tubes of the same donor. */
function useSameDonor(tube: Container | undefined, map: BoxContents): readonly string[] {
  const donor = useSample(tube?.sampleId ?? null)?.donor ?? null
  const kin = useQuery(
    api.samples.list.queryOptions({
      input: { donor: donor ?? '', limit: 500 },
      enabled: donor !== null,
      staleTime: 10_000,
    }),
  )
  if (donor === null || kin.data === undefined) return []
  const ids = new Set<string>(kin.data.items.map(({ id }) => id))
  return map.positions
    .filter(({ state, container }) => {
      return state === 'occupied' && container?.id !== tube?.id && ids.has(container?.sampleId ?? '')
    })
    .map(({ label }) => label)
}

const zoneList = new Intl.ListFormat('en-GB', { type: 'disjunction' })

/** `F5, F6 and F7`; more than four are counted. */
function listWords(labels: readonly string[]): string {
  return new Intl.ListFormat('en-GB').format(
    labels.length <= 4 ? labels : [...labels.slice(0, 3), `${String(labels.length - 3)} more`],
  )
}
