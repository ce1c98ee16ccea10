import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { SampleId } from '../../../services/samples/contract.ts'
import { api } from '../../client.ts'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { CodeText } from '../../components/sentence.tsx'
import { SampleStatus } from '../../components/status.tsx'
import { Timeline } from '../../components/timeline.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'

/** One sample with its life. */
export function SampleScreen() {
  const { t } = useTranslation(['sample', 'frame'])
  const { id } = useParams({ from: '/samples/$id' })
  const sampleId = SampleId.parse(id)
  const sample = useQuery(api.samples.get.queryOptions({ input: { id: sampleId } }))
  const life = useQuery(api.samples.timeline.queryOptions({ input: { id: sampleId, limit: 200 } }))
  usePageSubject(t('frame:screens.sample'), sample.data?.name ?? '')
  if (sample.isError) {
    return (
      <ProblemNotice
        what={t('frame:screens.sample')}
        error={sample.error}
        onRetry={() => void sample.refetch()}
      />
    )
  }
  const { data } = sample
  if (data === undefined) return null
  return (
    <div className="scroll" style={{ height: '100%' }}>
      <div className="pane-h">
        <h2>{data.code === null ? data.name : <CodeText>{data.code}</CodeText>}</h2>
        <SampleStatus state={data.state} chip />
      </div>
      <dl className="kv" style={{ padding: '0 20px 16px' }}>
        <dt>{t('type')}</dt>
        <dd>{data.type}</dd>
        <dt>{t('location')}</dt>
        <dd>{data.location ?? t('nowhere')}</dd>
        <dt>{t('volume')}</dt>
        <dd>{data.volumeUl === null ? '' : `${data.volumeUl} µL`}</dd>
        <dt>{t('concentration')}</dt>
        <dd>{data.concentrationNgPerUl === null ? '' : `${data.concentrationNgPerUl} ng/µL`}</dd>
        <dt>{t('thaws')}</dt>
        <dd>{data.thawCycles}</dd>
      </dl>
      <div className="pane-h rule-t">
        <h2>{t('life')}</h2>
      </div>
      <Timeline
        label={t('life')}
        entries={(life.data?.items ?? []).map((item) => ({
          id: item.id,
          at: item.at,
          icon: 'note',
          sentence: <b>{item.what.replaceAll('_', ' ')}</b>,
          detail: Object.values(item.detail)
            .filter((value) => value !== null)
            .join(', '),
          by: item.by,
        }))}
      />
    </div>
  )
}
