import { Modal } from '@mantine/core'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { MadeBundle } from '../../../platform/sync/contract.ts'
import { client } from '../../client.ts'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { Notice } from '../../components/notice.tsx'
import { CodeText } from '../../components/sentence.tsx'
import { Status } from '../../components/status.tsx'
import { countText, wholeMoment } from '../../moments.ts'
import { problemWords } from '../../problem.ts'
import { saveFile } from '../../save-file.ts'

interface TakeBundleDialogProps {
  /** For whom, at the Hub; at a workstation that is the Hub. */
  readonly workstation: { readonly id: string; readonly name: string } | null
  readonly onClose: () => void
}

/** Puts what the other side lacks into a file, says what is in it, and hands it over. */
export function TakeBundleDialog({ workstation, onClose }: TakeBundleDialogProps) {
  const { t } = useTranslation(['sync', 'common'])
  const [made, setMade] = useState<MadeBundle | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [step, setStep] = useState<'making' | 'ready' | 'saving' | 'saved'>('making')
  const begun = useRef(false)
  const workstationId = workstation?.id ?? null

  useEffect(() => {
    if (begun.current) return
    begun.current = true
    client.sync.makeBundle({ workstationId }).then(
      (bundle) => {
        setMade(bundle)
        setStep('ready')
      },
      (error: unknown) => setProblem(problemWords(error)),
    )
  }, [workstationId])

  async function save({ id, name }: MadeBundle): Promise<void> {
    setStep('saving')
    setProblem(null)
    try {
      saveFile(await client.sync.bundle({ id }), name)
      setStep('saved')
    } catch (error) {
      setProblem(problemWords(error))
      setStep('ready')
    }
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={
        workstation === null ? t('bundle.takeToHub') : t('bundle.takeToBench', { name: workstation.name })
      }
      centered
      size={600}
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <div className="dialog-form">
        {made === null && problem === null && <p role="status">{t('bundle.making')}</p>}
        {made !== null && <Made made={made} />}
        <div role="status" className="bundle-told">
          {made !== null && step === 'saved' && (
            <Notice tone="ok" boxed detail={nextWords()}>
              {t('bundle.saved')}
            </Notice>
          )}
        </div>
        <DialogFoot
          problem={problem}
          actLabel={made === null ? null : t(step === 'saved' ? 'bundle.saveAgain' : 'bundle.save')}
          disabled={step === 'saving'}
          {...(made === null ? {} : { onAct: () => void save(made) })}
          closeLabel={step === 'saved' ? t('common:close') : t('common:cancel')}
          onClose={onClose}
        />
      </div>
    </Modal>
  )

  function nextWords(): string {
    return workstation === null ? t('bundle.nextAtHub') : t('bundle.nextAtBench', { name: workstation.name })
  }
}

function Made({ made }: { readonly made: MadeBundle }) {
  const { t } = useTranslation('sync')
  const { changes, firstAt, lastAt, partner, sizeBytes, name, isWhole } = made
  return (
    <>
      <p className="bundle-sum">
        {changes === 0 ? (
          <Status tone="idle" word={t('bundle.nothing')} />
        ) : (
          <Status
            tone="ok"
            icon="file"
            word={t('bundle.changes', { count: changes, shown: countText(changes) })}
          />
        )}
      </p>
      {changes === 0 && <p className="t2">{t(`bundle.nothingHint.${made.direction}`)}</p>}
      <dl className="kv">
        {firstAt !== null && lastAt !== null && (
          <>
            <dt>{t('bundle.made')}</dt>
            <dd>
              {firstAt === lastAt
                ? wholeMoment(firstAt)
                : t('bundle.between', { first: wholeMoment(firstAt), last: wholeMoment(lastAt) })}
            </dd>
          </>
        )}
        <dt>{t('bundle.for')}</dt>
        <dd>{partner}</dd>
        <dt>{t('bundle.file')}</dt>
        <dd>
          <CodeText>{name}</CodeText>, {sizeText(sizeBytes)}
        </dd>
      </dl>
      <p className="md t2">{t('bundle.sealed', { partner })}</p>
      {!isWhole && (
        <Notice tone="warn" boxed detail={t('bundle.notWholeHint')}>
          {t('bundle.notWhole')}
        </Notice>
      )}
    </>
  )
}

function sizeText(bytes: number): string {
  const kilobytes = Math.max(1, Math.round(bytes / 1_000))
  return kilobytes < 1_000 ? `${countText(kilobytes)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}
