import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api } from '../../client.ts'
import { EmptyState } from '../../components/empty-state.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { countText, shortMoment } from '../../moments.ts'

/** Imports of spreadsheets, newest first. */
export function ReceiveScreen() {
  const { t } = useTranslation(['receive', 'frame'])
  const imports = useQuery(api.templates.listImports.queryOptions({ input: { limit: 100 } }))
  const items = imports.data?.items ?? []
  usePageSubject(t('frame:screens.receive'), imports.isSuccess ? t('context', { count: items.length }) : '')
  if (imports.isError) {
    return <ProblemNotice what={t('open')} error={imports.error} onRetry={() => void imports.refetch()} />
  }
  if (imports.isSuccess && items.length === 0) {
    return <EmptyState icon="receive" title={t('empty')} hint={t('emptyHint')} />
  }
  return (
    <table className="tb">
      <thead>
        <tr>
          <th>{t('file')}</th>
          <th className="num">{t('rows')}</th>
          <th className="num">{t('good')}</th>
          <th className="num">{t('problems')}</th>
          <th>{t('state')}</th>
          <th>{t('started')}</th>
        </tr>
      </thead>
      <tbody>
        {items.map((each) => (
          <tr key={each.id}>
            <td>{each.fileName}</td>
            <td className="num">{countText(each.summary.rows)}</td>
            <td className="num">{countText(each.summary.good)}</td>
            <td className="num">{countText(each.summary.withErrors)}</td>
            <td>{t(`states.${each.state}`)}</td>
            <td>{shortMoment(each.createdAt)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
