import { useTranslation } from 'react-i18next'
import type { TimelineItem } from '../../../services/samples/contract.ts'
import { CodeText } from '../../components/sentence.tsx'
import { wordsOfPlaces } from './life.ts'

/** One line of a life: the verb in bold, then what it was about. */
export function LifeSentence({ item }: { readonly item: TimelineItem }) {
  const { t, i18n } = useTranslation('sample')
  const key = `what.${item.what}`
  const verb = i18n.exists(key, { ns: 'sample' })
    ? t(key as 'what.accessioned')
    : item.what.replaceAll('_', ' ')
  return (
    <>
      <b>{verb}</b> <About item={item} />
    </>
  )
}

function About({ item: { lane, what, detail, by } }: { readonly item: TimelineItem }) {
  const { t } = useTranslation('sample')
  const { t: common } = useTranslation('common')
  if (what === 'state_changed') {
    const stateWord = (state: string | null | undefined) =>
      state === null || state === undefined ? '' : common(`sampleState.${state}` as 'sampleState.pending')
    return <>{t('fromTo', { from: stateWord(detail['from']), to: stateWord(detail['to']) })}</>
  }
  switch (lane) {
    case 'storage': {
      const { short, path } = wordsOfPlaces(detail['from'] ?? null, detail['to'] ?? null)
      return (
        <>
          {short} <span className="t3">{path}</span>
        </>
      )
    }
    case 'custody': {
      const { short, path } = wordsOfPlaces(null, detail['place'] ?? null)
      // Who wrote it stands at the end of the line.
      const holder = detail['holder'] === by ? '' : (detail['holder'] ?? '')
      return (
        <>
          {[short, holder].filter((word) => word !== '').join(', ')} <span className="t3">{path}</span>
        </>
      )
    }
    case 'amount':
      return (
        <>
          {t('quantity', {
            quantity: detail['quantity'] ?? '',
            unit: detail['amount'] === 'volume_ul' ? 'µL' : '',
          })}
        </>
      )
    case 'relation':
      return <CodeText>{detail['code'] ?? detail['name'] ?? ''}</CodeText>
    case 'note':
      return <>{detail['note'] ?? ''}</>
    case 'record':
      return <>{detail['name'] ?? detail['fields'] ?? ''}</>
  }
}
