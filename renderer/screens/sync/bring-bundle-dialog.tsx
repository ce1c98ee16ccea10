import { Modal } from '@mantine/core'
import { useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { largestFileBytes } from '../../../platform/gateway/contract.ts'
import type { BroughtBundle } from '../../../platform/sync/contract.ts'
import { client } from '../../client.ts'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { Icon } from '../../components/icon.tsx'
import { Notice } from '../../components/notice.tsx'
import { Status } from '../../components/status.tsx'
import { countText, wholeMoment } from '../../moments.ts'
import { problemWords } from '../../problem.ts'

interface BringBundleDialogProps {
  readonly at: 'hub' | 'bench'
  /** At the Hub: goes on with the answer to whoever made the bundle. */
  readonly onAnswer: (workstation: { readonly id: string; readonly name: string }) => void
  readonly onClose: () => void
}

/** Takes a file from the other side, and says what came of it. */
export function BringBundleDialog({ at, onAnswer, onClose }: BringBundleDialogProps) {
  const { t } = useTranslation(['sync', 'common'])
  const [reading, setReading] = useState<string | null>(null)
  const [brought, setBrought] = useState<BroughtBundle | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const chooser = useRef<HTMLInputElement>(null)

  async function take(file: File | undefined): Promise<void> {
    if (file === undefined) return
    setProblem(null)
    setBrought(null)
    if (file.size > largestFileBytes) {
      setProblem(t('bundle.tooLarge', { file: file.name }))
      return
    }
    setReading(file.name)
    try {
      setBrought(await client.sync.bringBundle({ file }))
    } catch (error) {
      setProblem(problemWords(error))
    } finally {
      setReading(null)
    }
  }

  const answer = brought?.partnerId == null ? null : { id: brought.partnerId, name: brought.partner }
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('bundle.bring')}
      centered
      size={600}
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <div className="dialog-form">
        {brought === null && <p className="t2">{t(`bundle.bringLead.${at}`)}</p>}
        <div role="status" className="bundle-told">
          {reading !== null && <p>{t('bundle.reading', { file: reading })}</p>}
          {brought !== null && <Brought brought={brought} />}
        </div>
        {brought === null && (
          <div>
            <button
              className="btn btn-1 btn-lg"
              type="button"
              data-autofocus
              disabled={reading !== null}
              onClick={() => chooser.current?.click()}
            >
              <Icon name="upload" size={16} />
              {t('bundle.choose')}
            </button>
            <input
              ref={chooser}
              type="file"
              accept=".tracseq-bundle"
              aria-label={t('bundle.choose')}
              hidden
              onChange={(event) => {
                void take(event.currentTarget.files?.[0])
                event.currentTarget.value = ''
              }}
            />
          </div>
        )}
        <DialogFoot
          problem={problem}
          problemDetail={t('bundle.refusedHint')}
          actLabel={answer === null ? null : t('bundle.answer', { name: answer.name })}
          {...(answer === null ? {} : { onAct: () => onAnswer(answer) })}
          closeLabel={brought === null ? t('common:cancel') : t('common:close')}
          onClose={onClose}
        />
      </div>
    </Modal>
  )
}

function Brought({ brought }: { readonly brought: BroughtBundle }) {
  const { t } = useTranslation('sync')
  const { taken, known, confirmed, toDecide, partner, madeAt, isWhole } = brought
  const counted = (count: number) => ({ count, shown: countText(count) })
  return (
    <div className="dialog-form">
      <p className="bundle-sum">
        <Status
          tone="ok"
          word={taken === 0 ? t('bundle.broughtNothing') : t('bundle.brought', counted(taken))}
        />
      </p>
      <dl className="kv">
        <dt>{t('bundle.from')}</dt>
        <dd>{t('bundle.fromMade', { partner, time: wholeMoment(madeAt) })}</dd>
        {known > 0 && (
          <>
            <dt>{t('bundle.known')}</dt>
            <dd>{t('bundle.knownCount', counted(known))}</dd>
          </>
        )}
        {confirmed > 0 && (
          <>
            <dt>{t('bundle.confirmed')}</dt>
            <dd>{t('bundle.confirmedCount', counted(confirmed))}</dd>
          </>
        )}
      </dl>
      {toDecide > 0 && (
        <Notice tone="warn" boxed detail={t('toDecideDetail')}>
          {t('toDecide', counted(toDecide))}
        </Notice>
      )}
      {!isWhole && (
        <Notice tone="warn" boxed detail={t('bundle.notWholeHint')}>
          {t('bundle.notWhole')}
        </Notice>
      )}
      {brought.direction === 'to-hub' && <p className="md t2">{t('bundle.answerHint', { name: partner })}</p>}
    </div>
  )
}
