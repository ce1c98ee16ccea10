import { Select } from '@mantine/core'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { type SyntheticEvent, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, client } from '../../client.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Icon } from '../../components/icon.tsx'
import { Notice } from '../../components/notice.tsx'
import { Status } from '../../components/status.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { goTo } from '../../navigation.ts'
import { problemWords } from '../../problem.ts'
import { scanEngine, useScanMeaning } from '../../scan/scanning.ts'
import { useMay, useMe } from '../../session/session-store.ts'
import { packByScan } from './pack-by-scan.ts'
import { beginPacking, changeParcel, emptyPacking, unpack, usePacking } from './packing-store.ts'
import { ParcelFields, tidyParcel } from './parcel-fields.tsx'
import { WithHub, WithoutHub } from './without-hub.tsx'
import './shipments.css'

/** A parcel that is packed: each scan adds a sample, and nothing leaves before it is sent. */
export function PackingScreen() {
  const mayShip = useMay('shipments:send')
  return <WithHub>{mayShip ? <PackingPage /> : <MayNot />}</WithHub>
}

function MayNot() {
  const { t } = useTranslation('shipments')
  usePageSubject(t('pack.subject'))
  return <EmptyState icon="lock" title={t('mayNot')} hint={t('mayNotHint')} />
}

function PackingPage() {
  const { t } = useTranslation('shipments')
  const { user } = useMe()
  useEffect(() => beginPacking(user.id), [user.id])
  const { samples, ...parcel } = usePacking()
  const laboratories = useQuery(api.shipments.laboratories.queryOptions())
  const sampleIds = samples.map(({ id }) => id)
  const checked = useQuery({
    ...api.shipments.check.queryOptions({ input: { sampleIds }, enabled: sampleIds.length > 0 }),
    placeholderData: keepPreviousData,
  })
  const [discarding, setDiscarding] = useState(false)
  usePageSubject(t('pack.subject'), t('pack.context', { count: samples.length }))
  useScanMeaning({
    sentence: t('scan.pack'),
    elseSentence: t('scan.packElse'),
    handle: (_scan, resolved) => packByScan(resolved),
  })
  if (laboratories.isError)
    return <WithoutHub error={laboratories.error} onRetry={() => void laboratories.refetch()} />
  if (laboratories.data?.length === 0)
    return (
      <EmptyState icon="truck" title={t('pack.alone')} hint={t('pack.aloneHint')}>
        <button type="button" className="btn" onClick={() => goTo({ to: '/shipments' })}>
          {t('toList')}
        </button>
      </EmptyState>
    )

  const obstaclesOf = (id: string): readonly string[] => {
    if (checked.data === undefined || checked.isPlaceholderData) return []
    return checked.data.find(({ sampleId }) => sampleId === id)?.obstacles ?? [t('notAtHub')]
  }
  const staying = sampleIds.filter((id) => obstaclesOf(id).length > 0)
  return (
    <div className="ship-pack">
      <section className="column" aria-label={t('pack.inside')}>
        <div className="pane-h rule-b">
          <h2>{t('pack.inside')}</h2>
          <span className="cnt">{samples.length}</span>
          <div className="end">
            {staying.length > 0 && (
              <button type="button" className="btn btn-sm" onClick={() => unpack(staying)}>
                {t('pack.takeOutStaying', { count: staying.length })}
              </button>
            )}
          </div>
        </div>
        {samples.length === 0 ? (
          <EmptyState icon="scanner" title={t('pack.empty')} hint={t('pack.emptyHint')}>
            <button type="button" className="btn" onClick={() => goTo({ to: '/samples' })}>
              {t('pack.fromList')}
            </button>
          </EmptyState>
        ) : (
          <div className="scroll" tabIndex={0} role="group" aria-label={t('pack.inside')}>
            <table className="tb">
              <thead>
                <tr>
                  <th>{t('code')}</th>
                  <th>{t('name')}</th>
                  <th>{t('pack.may')}</th>
                  <th>
                    <span className="vh">{t('pack.takeOut')}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {samples.toReversed().map(({ id, code, name }) => (
                  <tr key={id}>
                    <td className="code">{code ?? t('noCode')}</td>
                    <td>{name}</td>
                    <td>
                      <Standing obstacles={obstaclesOf(id)} isKnown={checked.data !== undefined} />
                    </td>
                    <td className="ship-out">
                      <button
                        type="button"
                        className="btn btn-sm"
                        aria-label={t('pack.takeOutOne', { name })}
                        onClick={() => unpack([id])}
                      >
                        <Icon name="close" size={14} />
                        {t('pack.takeOut')}
                      </button>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      <SendForm
        laboratories={laboratories.data ?? []}
        parcel={parcel}
        sampleIds={sampleIds}
        ready={sampleIds.length > 0 && staying.length === 0 && !checked.isPlaceholderData}
        checkProblem={checked.isError ? problemWords(checked.error) : null}
        onDiscard={() => setDiscarding(true)}
      />
      {discarding && (
        <ConfirmDialog
          title={t('pack.discardTitle')}
          words={t('pack.discardWords')}
          confirmLabel={t('pack.discard')}
          onConfirm={() => {
            emptyPacking()
            goTo({ to: '/shipments' })
            return Promise.resolve()
          }}
          onClose={() => setDiscarding(false)}
        />
      )}
    </div>
  )
}

function Standing({
  obstacles,
  isKnown,
}: {
  readonly obstacles: readonly string[]
  readonly isKnown: boolean
}) {
  const { t } = useTranslation('shipments')
  if (!isKnown) return <Status tone="now" word={t('pack.checking')} />
  if (obstacles.length === 0) return <Status tone="ok" icon="check" word={t('pack.goes')} />
  return (
    <div className="ship-obstacle">
      <Status tone="bad" word={t('pack.stays')} />
      <p className="sm t2">{obstacles.join(' ')}</p>
    </div>
  )
}

interface SendFormProps {
  readonly laboratories: readonly { readonly id: string; readonly name: string }[]
  readonly parcel: Omit<ReturnType<typeof usePacking>, 'samples'>
  readonly sampleIds: ReturnType<typeof usePacking>['samples'][number]['id'][]
  readonly ready: boolean
  readonly checkProblem: string | null
  readonly onDiscard: () => void
}

function SendForm({ laboratories, parcel, sampleIds, ready, checkProblem, onDiscard }: SendFormProps) {
  const { t } = useTranslation('shipments')
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const [only] = laboratories
  const toLaboratoryId = parcel.laboratoryId ?? (laboratories.length === 1 ? (only?.id ?? null) : null)
  const to = laboratories.find(({ id }) => id === toLaboratoryId)

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault()
    if (to === undefined) return
    setBusy(true)
    setProblem(null)
    try {
      const made = await client.shipments.send({ sampleIds, toLaboratoryId: to.id, ...tidyParcel(parcel) })
      const sentence = t('pack.sent', { count: made.items.length, to: made.to.name })
      scanEngine.announce({ tone: 'ok', sentence, detail: t('pack.sentAs', { number: made.number }) })
      emptyPacking()
      goTo({ to: '/shipments/$id', params: { id: made.id }, replace: true })
    } catch (error) {
      setProblem(problemWords(error))
      setBusy(false)
    }
  }

  return (
    <form className="side ship-form" onSubmit={(event) => void submit(event)} aria-label={t('pack.parcel')}>
      <h2>{t('pack.parcel')}</h2>
      <Select
        label={t('pack.to')}
        placeholder={t('pack.toHint')}
        withAsterisk
        searchable
        allowDeselect={false}
        checkIconPosition="right"
        data={laboratories.map(({ id, name }) => ({ value: id, label: name }))}
        value={toLaboratoryId}
        onChange={(laboratoryId) => changeParcel({ laboratoryId })}
      />
      <ParcelFields parcel={parcel} onChange={changeParcel} />
      <p className="sm t2">{t('pack.note')}</p>
      {(problem ?? checkProblem) !== null && (
        <Notice tone="bad" boxed>
          {problem ?? checkProblem}
        </Notice>
      )}
      <button
        className="btn btn-1 btn-lg"
        type="submit"
        disabled={busy || !ready || to === undefined || parcel.reason.trim() === ''}
      >
        <Icon name="truck" />
        {busy ? t('pack.sending') : t('pack.send', { count: sampleIds.length })}
      </button>
      <button className="btn" type="button" disabled={busy} onClick={onDiscard}>
        {t('pack.discardOpen')}
      </button>
    </form>
  )
}
