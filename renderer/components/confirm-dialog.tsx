import { Modal, Textarea } from '@mantine/core'
import { type SyntheticEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { DialogFoot } from './dialog-foot.tsx'
import { problemWords } from '../problem.ts'

interface ConfirmDialogProps {
  /** The question: "Dispose of this tube?" */
  readonly title: string
  /** The consequence, in a sentence. */
  readonly words: string
  /** The verb on the button: "Dispose". */
  readonly confirmLabel: string
  /** Asks for a reason, which the act must have. */
  readonly withReason?: boolean
  readonly onConfirm: (reason: string) => Promise<void>
  readonly onClose: () => void
}

/** Asks before what cannot be undone, with the consequence in the question. Stays open when the act is refused. */
export function ConfirmDialog({
  title,
  words,
  confirmLabel,
  withReason = false,
  onConfirm,
  onClose,
}: ConfirmDialogProps) {
  const { t } = useTranslation()
  const [reason, setReason] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setProblem(null)
    try {
      await onConfirm(reason.trim())
      onClose()
    } catch (error) {
      setProblem(problemWords(error))
      setBusy(false)
    }
  }

  return (
    <Modal opened onClose={onClose} title={title} centered closeButtonProps={{ 'aria-label': t('close') }}>
      <form onSubmit={(event) => void submit(event)} className="dialog-form">
        <p className="t2">{words}</p>
        {withReason && (
          <Textarea
            label={t('reason')}
            description={t('reasonHint')}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            maxLength={1_000}
            autosize
            minRows={2}
            data-autofocus
          />
        )}
        <DialogFoot
          problem={problem}
          actLabel={confirmLabel}
          disabled={busy || (withReason && reason.trim() === '')}
          onClose={onClose}
        />
      </form>
    </Modal>
  )
}
