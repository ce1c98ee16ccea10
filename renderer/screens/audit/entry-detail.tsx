import { useQuery } from '@tanstack/react-query'
import { useTranslation } from 'react-i18next'
import { api } from '../../client.ts'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { CodeText } from '../../components/sentence.tsx'
import { wholeMoment } from '../../moments.ts'
import { readEntryContent } from './entry-content.ts'
import { entryWords, eventWords, reactionTo } from './entry-words.ts'

interface EntryDetailProps {
  readonly sequence: number
  readonly nameOf: (actorId: string) => string
  readonly onCorrelation: (correlationId: string) => void
}

const operations = ['insert', 'update', 'delete'] as const

/** One entry: who, when, why, the proof, and what it changed field by field. */
export function EntryDetail({ sequence, nameOf, onCorrelation }: EntryDetailProps) {
  const { t } = useTranslation('audit')
  const answer = useQuery(api.system.auditEntry.queryOptions({ input: { sequence }, staleTime: Infinity }))
  if (answer.isError) {
    return (
      <ProblemNotice
        what={t('detail', { sequence })}
        error={answer.error}
        onRetry={() => void answer.refetch()}
      />
    )
  }
  if (answer.data === undefined) return null
  const { entry, payload } = answer.data
  const content = payload === null ? null : readEntryContent(payload)
  const cause = reactionTo(entry)
  return (
    <article className="entry-detail">
      <h2>{t('detail', { sequence })}</h2>
      <dl className="kv">
        <dt>{t('columns.what')}</dt>
        <dd>{entryWords(entry, t)}</dd>
        <dt>{t('madeAt')}</dt>
        <dd>{t(`origin.${entry.origin}`)}</dd>
        <dt>{t('recorded')}</dt>
        <dd>{wholeMoment(entry.recordedAt)}</dd>
        <dt>{t('columns.person')}</dt>
        <dd>{nameOf(entry.actorId)}</dd>
        {entry.reason !== null && (cause === null || entry.eventNames.length > 0) && (
          <>
            <dt>{t('columns.reason')}</dt>
            <dd>{cause === null ? entry.reason : t('reaction', { event: eventWords(cause, t) })}</dd>
          </>
        )}
        <dt>{t('workstation')}</dt>
        <dd>
          <Hash text={entry.workstationId} />
        </dd>
        <dt>{t('changeSet')}</dt>
        <dd>
          <Hash text={entry.changeSetId} />
        </dd>
        <dt>{t('hash')}</dt>
        <dd>
          <Hash text={entry.hash} />
        </dd>
      </dl>
      <p>
        <button className="link md" type="button" onClick={() => onCorrelation(entry.correlationId)}>
          {t('sameCall')}
        </button>
      </p>
      <h3>{t('changed')}</h3>
      {entry.payloadRemoved && <p className="t2 md">{t('removed')}</p>}
      {payload === null && !entry.payloadRemoved && <p className="t2 md">{t('noPayload')}</p>}
      {content?.migration != null && <pre className="code">{content.migration.sql}</pre>}
      {content?.changes.map((change, index) => (
        <section key={index} className="row-change">
          <h4>
            {change.table}{' '}
            <span className="t3">{operationWord(change.operation, (key) => t(`operation.${key}`))}</span>
          </h4>
          <dl className="kv">
            {change.fields.map(([name, value]) => (
              <div key={name} style={{ display: 'contents' }}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
      {content === null && payload !== null && <pre className="code">{payload}</pre>}
    </article>
  )
}

function operationWord(operation: string, word: (key: (typeof operations)[number]) => string): string {
  const known = operations.find((each) => each === operation)
  return known === undefined ? operation : word(known)
}

/** Hashes and ids are compared by their ends; the whole stands in the tooltip and can be selected. */
function Hash({ text }: { readonly text: string }) {
  return (
    <span className="ell hash" title={text}>
      <CodeText>{text}</CodeText>
    </span>
  )
}
