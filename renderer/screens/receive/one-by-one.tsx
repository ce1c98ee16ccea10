import { Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type SyntheticEvent, useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../client.ts'
import { Cap } from '../../components/cap.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Icon } from '../../components/icon.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { clockTime, countText } from '../../moments.ts'
import { goTo } from '../../navigation.ts'
import { problemWords } from '../../problem.ts'
import { scanEngine, scanTyped, useScanMeaning } from '../../scan/scanning.ts'
import { useMe } from '../../session/session-store.ts'
import { putAwaySamples } from '../storage/take-received.ts'
import {
  beginTubeSitting,
  changeDefaults,
  isVolume,
  receiveScanned,
  takeBack,
  useTubeSitting,
} from './one-store.ts'

/** Tubes without a sheet: each scan receives one, with the type, project and donor that stand in the form. */
export function OneByOne({ onLeave }: { readonly onLeave: () => void }) {
  const { t } = useTranslation(['receive', 'frame'])
  const me = useMe()
  useEffect(() => beginTubeSitting(me.user.id), [me.user.id])
  const { defaults, received } = useTubeSitting()
  const types = useQuery(api.samples.types.queryOptions())
  const [typed, setTyped] = useState('')
  usePageSubject(t('frame:screens.receive'), t('one.context', { count: received.length }))
  const typeName = types.data?.find(({ key }) => key === defaults.type)?.name ?? null
  useScanMeaning({
    sentence: typeName === null ? t('one.sentenceNoType') : t('one.sentence', { type: typeName }),
    elseSentence: t('one.else'),
    handle: (scan, resolved) => receiveScanned(scan, resolved),
  })

  function submit(event: SyntheticEvent): void {
    event.preventDefault()
    if (typed.trim() === '') return
    scanTyped(typed.trim())
    setTyped('')
  }

  async function takeBackOne(sampleId: string, code: string): Promise<void> {
    try {
      await takeBack(sampleId)
      scanEngine.announce({ tone: 'ok', sentence: t('one.takenBack', { code }) })
    } catch (error) {
      const words = error instanceof Error && error.message !== '' ? error.message : problemWords(error)
      scanEngine.announce({ tone: 'bad', sentence: t('one.notTakenBack', { code }), detail: words })
    }
  }

  return (
    <div className="rcv-one">
      <section className="rcv-one-form side" aria-label={t('one.defaults')}>
        <h2>{t('one.defaults')}</h2>
        <p className="t2 sm">{t('one.defaultsHint')}</p>
        <Select
          label={t('one.type')}
          withAsterisk
          searchable
          allowDeselect={false}
          data={(types.data ?? []).map(({ key, name }) => ({ value: key, label: name }))}
          value={defaults.type}
          onChange={(type) => changeDefaults({ type })}
        />
        <TextInput
          label={t('one.project')}
          value={defaults.project}
          maxLength={200}
          onChange={(event) => changeDefaults({ project: event.currentTarget.value })}
        />
        <TextInput
          label={t('one.donor')}
          value={defaults.donor}
          maxLength={200}
          onChange={(event) => changeDefaults({ donor: event.currentTarget.value })}
        />
        <TextInput
          label={t('one.volume')}
          inputMode="decimal"
          value={defaults.volumeUl}
          maxLength={20}
          error={isVolume(defaults.volumeUl) ? undefined : t('one.volumeWrong')}
          onChange={(event) => changeDefaults({ volumeUl: event.currentTarget.value.trim() })}
        />
        <form onSubmit={submit} className="rcv-typed">
          <TextInput
            label={t('one.typed')}
            description={t('one.typedHint')}
            value={typed}
            maxLength={200}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <button type="submit" className="btn" disabled={typed.trim() === ''}>
            {t('one.receive')}
          </button>
        </form>
      </section>
      <section className="rcv-one-list" aria-label={t('one.received2')}>
        <div className="pane-h rule-b">
          <h2>{t('one.received2')}</h2>
          <span className="cnt">{countText(received.length)}</span>
          <div className="end">
            {received.length > 0 && (
              <button
                type="button"
                className="btn btn-sm"
                onClick={() => void putAwaySamples(received.map(({ sampleId }) => sampleId).toReversed())}
              >
                <Icon name="freezer" size={14} />
                {t('done.putAway')}
              </button>
            )}
            <button type="button" className="btn btn-sm" onClick={onLeave}>
              {t('one.leave')}
            </button>
          </div>
        </div>
        {received.length === 0 ? (
          <EmptyState
            icon="scanner"
            title={t(typeName === null ? 'one.emptyNoType' : 'one.empty')}
            hint={t(typeName === null ? 'one.emptyNoTypeHint' : 'one.emptyHint')}
          />
        ) : (
          <div className="scroll" tabIndex={0} role="region" aria-label={t('one.list')}>
            <table className="tb">
              <thead>
                <tr>
                  <th>{t('one.time')}</th>
                  <th>{t('one.code')}</th>
                  <th>{t('one.type')}</th>
                  <th>{t('one.project')}</th>
                  <th>{t('one.donor')}</th>
                  <th>
                    <span className="vh">{t('list.acts')}</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {received.map((tube) => {
                  const type = types.data?.find(({ key }) => key === tube.type)
                  return (
                    <tr key={tube.sampleId}>
                      <td className="t3">{clockTime(tube.at)}</td>
                      <td>
                        <button
                          type="button"
                          className="link"
                          onClick={() => goTo({ to: '/samples/$id', params: { id: tube.sampleId } })}
                        >
                          <span className="code">{tube.code}</span>
                        </button>
                      </td>
                      <td>
                        <span className="rcv-type">
                          <Cap material={tube.type} letter={type?.letter ?? '?'} size="s" />
                          {type?.name ?? tube.type}
                        </span>
                      </td>
                      <td>{tube.project}</td>
                      <td>{tube.donor}</td>
                      <td className="num">
                        <button
                          type="button"
                          className="btn btn-sm"
                          aria-label={t('one.takeBackOne', { code: tube.code })}
                          onClick={() => void takeBackOne(tube.sampleId, tube.code)}
                        >
                          {t('one.takeBack')}
                        </button>
                      </td>
                    </tr>
                  )
                })}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </div>
  )
}
