import { Checkbox, Modal } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { client } from '../../client.ts'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { Icon } from '../../components/icon.tsx'
import { CodeText } from '../../components/sentence.tsx'
import { wholeMoment } from '../../moments.ts'
import { problemWords } from '../../problem.ts'

type Made = Awaited<ReturnType<typeof client.sync.createEnrolmentCode>>

/** Makes the code with which one workstation is let in, and shows it this once. */
export function EnrolmentCodeDialog({ onClose }: { readonly onClose: () => void }) {
  const { t } = useTranslation(['sync', 'common'])
  const [administratorsOffline, setAdministratorsOffline] = useState(false)
  const [made, setMade] = useState<Made | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function make(): Promise<void> {
    setBusy(true)
    setProblem(null)
    try {
      setMade(await client.sync.createEnrolmentCode({ administratorsOffline }))
    } catch (error) {
      setProblem(problemWords(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={t('code.title')}
      centered
      size={640}
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      {made === null ? (
        <div className="dialog-form">
          <p className="md t2">{t('code.lead')}</p>
          <Checkbox
            size="sm"
            label={t('code.administrators')}
            description={t('code.administratorsHint')}
            checked={administratorsOffline}
            onChange={(event) => setAdministratorsOffline(event.currentTarget.checked)}
          />
          <DialogFoot
            problem={problem}
            actLabel={t('code.make')}
            disabled={busy}
            onAct={() => void make()}
            onClose={onClose}
          />
        </div>
      ) : (
        <ShownCode made={made} onClose={onClose} />
      )}
    </Modal>
  )
}

function ShownCode({ made, onClose }: { readonly made: Made; readonly onClose: () => void }) {
  const { t } = useTranslation(['sync', 'common'])
  const [copied, setCopied] = useState<'yes' | 'no' | null>(null)

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(made.code)
      setCopied('yes')
    } catch {
      // A browser gives the clipboard to safe origins only; the code can be selected by hand.
      setCopied('no')
    }
  }

  return (
    <div className="dialog-form">
      <p className="t2">{t('code.once')}</p>
      <div className="code-shown" role="group" aria-label={t('code.label')}>
        <CodeText>{made.code}</CodeText>
      </div>
      <dl className="kv">
        <dt>{t('code.until')}</dt>
        <dd>{wholeMoment(made.expiresAt)}</dd>
        <dt>{t('enrol.address')}</dt>
        <dd>
          <CodeText>{window.location.origin}</CodeText>
        </dd>
      </dl>
      <p className="md">{t('code.how')}</p>
      <p className="sm" role="status">
        {copied === 'yes' ? t('code.copied') : copied === 'no' ? t('code.notCopied') : ''}
      </p>
      <div className="dialog-acts">
        <button className="btn" type="button" onClick={() => void copy()}>
          <Icon name="save" size={16} />
          {t('code.copy')}
        </button>
        <button className="btn btn-1" type="button" onClick={onClose}>
          {t('common:close')}
        </button>
      </div>
    </div>
  )
}
