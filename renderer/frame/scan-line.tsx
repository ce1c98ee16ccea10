import { useLocation, useNavigate } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { Brand } from '../components/brand.tsx'
import type { IconName } from '../components/drawings.tsx'
import { Icon } from '../components/icon.tsx'
import { Sentence } from '../components/sentence.tsx'
import { UndoRing } from '../components/undo-ring.tsx'
import { clockTime } from '../moments.ts'
import { scanEngine, useScanIntake, useScanState } from '../scan/scanning.ts'

/** What the next scan will do, what the last one did, and whether anything listens. */
export function ScanLine({ workstation }: { readonly workstation: string }) {
  const { t } = useTranslation('scan')
  const { sentence, elseSentence, last, flash, queued, working } = useScanState()
  const { pathname } = useLocation()
  const navigate = useNavigate()

  /** What to do with an unknown code is asked beside its scan on the Bench. */
  async function decide(): Promise<void> {
    await navigate({ to: '/bench' })
    document.querySelector<HTMLElement>('.feed .acts button')?.focus()
  }

  return (
    <section className="scan" aria-label={t('line')}>
      {flash.count > 0 && <div key={flash.count} className={`scan-flash ${flash.tone}`} aria-hidden="true" />}
      <Brand workstation={workstation} />
      <div className="scan-next" role="status">
        <ScanMark />
        <div>
          <p className="scan-say ell">
            <Sentence
              text={working === null ? (sentence ?? t('anything')) : t('working', { code: working })}
            />
          </p>
          <p className="scan-else ell">
            <Sentence text={elseSentence ?? t('anythingElse')} />
          </p>
        </div>
      </div>
      {last === null || last.tone === 'idle' ? (
        <span />
      ) : (
        <div className={`scan-last ${last.tone}`} role="status">
          <Icon name={last.tone} />
          <div>
            <p className="ell">
              <Sentence text={last.sentence} />
            </p>
            <p className="ell">
              {clockTime(last.at)}
              {last.detail !== null && (
                <>
                  , <Sentence text={last.detail} />
                </>
              )}
            </p>
          </div>
          {last.undo !== null && (
            <UndoRing className="" until={last.undo.until} onUndo={() => void scanEngine.undo(last.id)} />
          )}
          {last.unknown && last.action === null && pathname !== '/bench' && (
            <button type="button" onClick={() => void decide()}>
              {t('decide')}
            </button>
          )}
          {last.action !== null && (
            <button type="button" onClick={last.action.run}>
              {last.action.label}
            </button>
          )}
        </div>
      )}
      <ScannerState queued={queued} />
    </section>
  )
}

function ScannerState({ queued }: { readonly queued: number }) {
  const { t } = useTranslation('scan')
  const { devices, connected } = useScanIntake()
  const words =
    devices.length === 0
      ? t('keyboardOnly')
      : devices.some(({ state }) => state === 'ready')
        ? t('ready')
        : devices.some(({ state }) => state === 'failed')
          ? t('scannerFailed')
          : t('scannerWaiting')
  const isGood = connected && (devices.length === 0 || devices.some(({ state }) => state === 'ready'))
  const icon: IconName = isGood ? 'scanner' : 'warn'
  return (
    <div className={`scan-dev ${isGood ? 'ok' : 'warn'}`}>
      <Icon name={icon} size={20} />
      <div>
        <p>{connected ? words : t('paused')}</p>
        <p>{t('queue', { count: queued })}</p>
      </div>
    </div>
  )
}

function ScanMark() {
  return (
    <svg
      className="scan-mark"
      viewBox="0 0 40 40"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
      strokeLinecap="round"
      aria-hidden="true"
    >
      <path d="M3 11V6a3 3 0 0 1 3-3h5M29 3h5a3 3 0 0 1 3 3v5M37 29v5a3 3 0 0 1-3 3h-5M11 37H6a3 3 0 0 1-3-3v-5" />
      <path d="M11 13v14M15 13v14M18.5 13v14M23 13v14M26 13v14M29 13v14" strokeWidth="1.6" />
    </svg>
  )
}
