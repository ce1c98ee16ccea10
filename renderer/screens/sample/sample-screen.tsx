import { Menu } from '@mantine/core'
import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { type Sample, SampleId } from '../../../services/samples/contract.ts'
import type { Container } from '../../../services/storage/contract.ts'
import { api, client } from '../../client.ts'
import { Cap } from '../../components/cap.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Icon } from '../../components/icon.tsx'
import { LifeStrip } from '../../components/life-strip.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { SampleStatus } from '../../components/status.tsx'
import { Timeline } from '../../components/timeline.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { shortMoment } from '../../moments.ts'
import { goTo } from '../../navigation.ts'
import { problemCode, problemWords } from '../../problem.ts'
import { scanEngine, useScanMeaning } from '../../scan/scanning.ts'
import { useMay } from '../../session/session-store.ts'
import { packSamples } from '../shipments/pack-by-scan.ts'
import { ContainersPane } from './containers-pane.tsx'
import { iconOf, itemsInView, lanesOf, type LifeView, lifeViews, toneOf } from './life.ts'
import { LineagePane } from './lineage-pane.tsx'
import { ContestedTube } from '../sync/contested.tsx'
import { putAwaySamples } from '../storage/take-received.ts'
import { offeredStates } from './offered-states.ts'
import { placeByScan } from './place-by-scan.ts'
import { SampleDialog, type SampleDialogKind } from './sample-dialogs.tsx'
import { LifeSentence } from './life-sentence.tsx'
import './sample.css'

/** The whole life of one sample on one page. A scan of a position moves its tube; any other code opens its own page. */
export function SampleScreen({ id }: { readonly id: string }) {
  const { t } = useTranslation('sample')
  const sampleId = SampleId.parse(id)
  const sample = useQuery(api.samples.get.queryOptions({ input: { id: sampleId } }))
  usePageSubject(t('subject'), sample.data === undefined ? '' : contextOf(sample.data))
  if (sample.isError) {
    return problemCode(sample.error) === 'NOT_FOUND' ? (
      <EmptyState icon="tube" title={t('unknown')} hint={t('unknownHint')}>
        <button type="button" className="btn" onClick={() => goTo({ to: '/samples' })}>
          {t('toList')}
        </button>
      </EmptyState>
    ) : (
      <ProblemNotice what={t('subject')} error={sample.error} onRetry={() => void sample.refetch()} />
    )
  }
  if (sample.data === undefined) {
    return (
      <p className="t3 sample-wait" role="status">
        {t('reading')}
      </p>
    )
  }
  return <SampleLife sample={sample.data} />
}

function SampleLife({ sample }: { readonly sample: Sample }) {
  const { t } = useTranslation('sample')
  const { t: common } = useTranslation('common')
  const mayShip = useMay('shipments:send')
  const store = useQueryClient()
  const [view, setView] = useState<LifeView>('all')
  const [dialog, setDialog] = useState<SampleDialogKind | null>(null)
  const input = { id: sample.id }
  const [types, timeline, custody, lineage, containers] = useQueries({
    queries: [
      api.samples.types.queryOptions(),
      api.samples.timeline.queryOptions({ input: { ...input, limit: 200 } }),
      api.samples.custody.queryOptions({ input }),
      api.samples.lineage.queryOptions({ input }),
      api.storage.containersOfSamples.queryOptions({ input: { sampleIds: [sample.id] } }),
    ],
  })
  const type = types.data?.find((each) => each.key === sample.type)
  const items = timeline.data?.items ?? []
  const shown = itemsInView(items, view)
  const chain = custody.data ?? { events: [], problems: [] }
  const tube = mainContainer(containers.data ?? [])
  const refresh = () => void store.invalidateQueries()

  useScanMeaning(
    tube === null || sample.shippedTo !== null
      ? null
      : {
          sentence: t('scan.sentence'),
          elseSentence: t('scan.else'),
          handle: async (_scan, resolved) => {
            const result = await placeByScan(tube, resolved, t)
            if (result !== null) refresh()
            return result
          },
        },
  )

  async function act(
    work: () => Promise<Container>,
    words: string,
    undo?: () => Promise<unknown>,
  ): Promise<void> {
    try {
      await work()
      scanEngine.announce({
        tone: 'ok',
        sentence: words,
        ...(undo === undefined
          ? {}
          : {
              undo: async () => {
                await undo()
                refresh()
              },
            }),
      })
    } catch (error) {
      scanEngine.announce({ tone: 'bad', sentence: problemWords(error) })
    }
    refresh()
  }

  const states = offeredStates([sample])
  return (
    <div className="sample">
      {tube !== null && <ContestedTube tube={tube} />}
      <header className="sample-head">
        <Cap material={sample.type} letter={type?.letter ?? '?'} size="l" />
        <div className="grow">
          <h2>
            <span className="code">{sample.code ?? sample.name}</span>
            <SampleStatus state={sample.state} chip />
            {sample.shippedTo !== null && (
              <span className="st now chip">
                <Icon name="truck" size={14} />
                {t('shippedTo', { to: sample.shippedTo })}
              </span>
            )}
            {tube?.state === 'checked_out' && (
              <span className="st now chip">
                <Icon name="hand" size={14} />
                {t('inHandOf', { who: tube.heldBy ?? '' })}
              </span>
            )}
          </h2>
          <p className="t2">{describe(sample, type?.name ?? sample.type)}</p>
        </div>
        {sample.shippedTo === null && (
          <div className="sample-acts">
            {tube?.state === 'placed' && (
              <button
                type="button"
                className="btn btn-lg"
                onClick={() =>
                  void act(
                    () => client.storage.checkOut({ containerId: tube.id }),
                    t('checkedOut', { code: tube.label }),
                    () => client.storage.returnToPlace({ containerId: tube.id }),
                  )
                }
              >
                <Icon name="hand" />
                {t('checkOut')}
              </button>
            )}
            {tube?.state === 'checked_out' && (
              <button
                type="button"
                className="btn btn-1 btn-lg"
                onClick={() =>
                  void act(
                    () => client.storage.returnToPlace({ containerId: tube.id }),
                    t('returned', { code: tube.label }),
                    () => client.storage.checkOut({ containerId: tube.id }),
                  )
                }
              >
                <Icon name="return" />
                {t('return')}
              </button>
            )}
            {tube?.state === 'unplaced' && (
              <button
                type="button"
                className="btn btn-1 btn-lg"
                onClick={() => void putAwaySamples([sample.id])}
              >
                <Icon name="freezer" />
                {t('place')}
              </button>
            )}
            <button type="button" className="btn btn-lg" onClick={() => setDialog('aliquot')}>
              <Icon name="split" />
              {t('aliquot')}
            </button>
            <button type="button" className="btn btn-lg" onClick={() => setDialog('amount')}>
              <Icon name="minus" />
              {t('take')}
            </button>
            <Menu position="bottom-end">
              <Menu.Target>
                <button type="button" className="btn btn-lg" aria-label={t('more')}>
                  <Icon name="more" />
                </button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item onClick={() => setDialog('note')}>{t('note')}</Menu.Item>
                <Menu.Item onClick={() => setDialog('edit')}>{common('change')}</Menu.Item>
                {mayShip && <Menu.Item onClick={() => packSamples([sample])}>{t('ship')}</Menu.Item>}
                {states.length > 0 && <Menu.Label>{t('changeState')}</Menu.Label>}
                {states.map((state) => (
                  <Menu.Item key={state} onClick={() => setDialog(state)}>
                    {common(`sampleState.${state}`)}
                  </Menu.Item>
                ))}
                <Menu.Divider />
                {tube !== null && tube.state !== 'disposed' && (
                  <Menu.Item onClick={() => setDialog('dispose')}>{t('dispose')}</Menu.Item>
                )}
                <Menu.Item onClick={() => setDialog('delete')}>{t('delete')}</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </div>
        )}
      </header>

      <dl className="sample-facts">
        <Fact
          label={t('location')}
          value={
            tube?.place === null || tube === null
              ? (sample.shippedTo ?? t('nowhere'))
              : `${tube.place.boxName}, ${tube.place.position}`
          }
          under={(tube?.place ?? tube?.reservedPlace)?.path.join(' › ') ?? ''}
        />
        <Fact
          label={t('volume')}
          value={sample.volumeUl ?? '–'}
          unit={sample.volumeUl === null ? '' : 'µL'}
          under={sample.amountRemark ?? ''}
          warn={sample.amountRemark !== null}
        />
        <Fact
          label={t('concentration')}
          value={sample.concentrationNgPerUl ?? '–'}
          unit={sample.concentrationNgPerUl === null ? '' : 'ng/µL'}
        />
        <Fact
          label={t('amount')}
          value={sample.amountNg ?? '–'}
          unit={sample.amountNg === null ? '' : 'ng'}
        />
        <Fact label={t('thaws')} value={String(sample.thawCycles)} />
        <Fact label={t('receivedAt')} value={shortMoment(sample.createdAt)} under={sample.createdBy} />
      </dl>

      <LifeStrip
        label={t('strip')}
        from={sample.createdAt}
        now={new Date().toISOString()}
        nowWord={t('now')}
        lanes={lanesOf(items, chain, {
          custody: t('lanes.custody'),
          storage: t('lanes.storage'),
          amount: t('lanes.amount'),
          noGap: t('noGap'),
          gaps: (count) => t('gaps', { count }),
        })}
      />

      <div className="sample-panes">
        <section className="pane column" aria-label={t('life')}>
          <div className="pane-h rule-b">
            <h2>{t('life')}</h2>
            <span className="cnt">{t('events', { count: shown.length })}</span>
            <div className="end">
              <Segmented
                label={t('lifeView')}
                value={view}
                onChange={setView}
                options={lifeViews.map((value) => ({ value, label: t(`views.${value}`) }))}
              />
            </div>
          </div>
          <div className="scroll" tabIndex={0} role="group" aria-label={t('life')}>
            {chain.problems.map((problem) => (
              <p key={problem} className="st bad sample-gap">
                <Icon name="bad" size={14} />
                {problem}
              </p>
            ))}
            <Timeline
              label={t('life')}
              entries={shown.map((item) => {
                const tone = toneOf(item)
                return {
                  id: item.id,
                  at: item.at,
                  icon: iconOf(item),
                  ...(tone === undefined ? {} : { tone }),
                  sentence: <LifeSentence item={item} />,
                  ...(item.reason === null ? {} : { detail: item.reason }),
                  by: item.by,
                }
              })}
            />
          </div>
        </section>
        <div className="column rule-l">
          <LineagePane
            sample={sample}
            lineage={lineage.data ?? { samples: [], edges: [] }}
            types={types.data ?? []}
          />
          <ContainersPane containers={containers.data ?? []} sample={sample} />
          <ExtraPane sample={sample} />
        </div>
      </div>
      {dialog !== null && (
        <SampleDialog
          kind={dialog}
          sample={sample}
          container={tube}
          onClose={() => setDialog(null)}
          onDone={refresh}
        />
      )}
    </div>
  )
}

function Fact({
  label,
  value,
  unit = '',
  under = '',
  warn = false,
}: {
  readonly label: string
  readonly value: string
  readonly unit?: string
  readonly under?: string
  readonly warn?: boolean
}) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <b>{value}</b> {unit}
        {under !== '' && (
          <span className={warn ? 'warn-t' : 't3'} title={under}>
            {under}
          </span>
        )}
      </dd>
    </div>
  )
}

/** What the client's sheet said beyond our own fields, letter by letter as it came. */
function ExtraPane({ sample }: { readonly sample: Sample }) {
  const { t } = useTranslation('sample')
  const extra = Object.entries(sample.extra)
  if (extra.length === 0) return null
  return (
    <section aria-label={t('extra')}>
      <div className="pane-h rule-t">
        <h2>{t('extra')}</h2>
      </div>
      <dl className="sample-extra">
        {extra.map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

/** The container the header is about: the one that is still somewhere, newest first. */
function mainContainer(containers: readonly Container[]): Container | null {
  return containers.find(({ state }) => state !== 'disposed') ?? containers[0] ?? null
}

function describe(sample: Sample, typeName: string): string {
  const words = [typeName, sample.name, sample.donor, sample.project, sample.clientId]
  return [...new Set(words.filter((word) => word !== null && word !== ''))].join(' · ')
}

function contextOf(sample: Sample): string {
  return [sample.project, sample.donor].filter((word) => word !== null && word !== '').join(' › ')
}
