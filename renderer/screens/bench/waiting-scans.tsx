import { useTranslation } from 'react-i18next'
import { Icon } from '../../components/icon.tsx'
import { CodeText } from '../../components/sentence.tsx'
import { countText, shortMoment } from '../../moments.ts'
import { goTo } from '../../navigation.ts'
import { actOnWaitingScans, leaveWaitingScans, useScanIntake } from '../../scan/scanning.ts'
import './bench.css'

const shown = 8

/**
 * Scans from before the restart: saved, not acted on, and never acted on without a person saying so. They then mean
 * what they mean on the screen that is shown; `storageToo` offers to go where tubes are placed.
 */
export function WaitingScans({ storageToo = false }: { readonly storageToo?: boolean }) {
  const { t } = useTranslation('bench')
  const { review } = useScanIntake()
  const count = review.length
  if (count === 0) return null
  return (
    <section className="notice warn rule-t" aria-label={t('waiting', { count })} id="waiting-scans">
      <Icon name="warn" />
      <p className="strong">{t('waiting', { count })}</p>
      <span />
      <div className="detail">
        <p>{t('waitingHint', { count })}</p>
        <ul className="waiting-list">
          {review.slice(0, shown).map((scan) => (
            <li key={scan.scanId}>
              <span className="t3">{shortMoment(scan.receivedAt)}</span> <CodeText>{scan.text}</CodeText>
            </li>
          ))}
          {count > shown && <li className="t2">{t('waitingMore', { shown: countText(count - shown) })}</li>}
        </ul>
        <div className="acts">
          {storageToo && (
            <button className="btn btn-sm" type="button" onClick={() => goTo({ to: '/storage' })}>
              {t('goOnInStorage')}
            </button>
          )}
          <button className="btn btn-sm" type="button" onClick={actOnWaitingScans}>
            {t(storageToo ? 'openThem' : 'actNow', { count })}
          </button>
          <button className="btn btn-sm" type="button" onClick={() => void leaveWaitingScans(t('dismissed'))}>
            {t('dismiss', { count })}
          </button>
        </div>
      </div>
    </section>
  )
}
