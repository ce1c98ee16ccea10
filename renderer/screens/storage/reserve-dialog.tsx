import { Modal, TextInput } from '@mantine/core'
import { type SyntheticEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { NodeId } from '../../../services/storage/contract.ts'
import { client } from '../../client.ts'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { problemWords } from '../../problem.ts'
import { scanEngine } from '../../scan/scanning.ts'
import { useMe } from '../../session/session-store.ts'
import { readBox } from './placing-acts.ts'

interface ReserveDialogProps {
  readonly boxId: string
  readonly labels: readonly string[]
  /** The positions in words. */
  readonly words: string
  readonly onClose: () => void
}

const quickDays = [1, 7, 30] as const

/** Keeps free positions for somebody until the end of a day. */
export function ReserveDialog({ boxId, labels, words, onClose }: ReserveDialogProps) {
  const { t } = useTranslation(['storage', 'common'])
  const { user } = useMe()
  const [reservedFor, setReservedFor] = useState(user.name)
  const [day, setDay] = useState(() => dayAhead(7))
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const until = endOfDay(day)

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault()
    if (until === null) return
    setBusy(true)
    setProblem(null)
    const box = { boxId: NodeId.parse(boxId), positions: [...labels] }
    try {
      await client.storage.reserve({ ...box, until, reservedFor: reservedFor.trim() })
      await readBox(boxId)
      scanEngine.announce({
        tone: 'ok',
        sentence: t('done.reserved', { ranges: words, who: reservedFor.trim() }),
        undo: async () => {
          await client.storage.cancelReservation(box)
          await readBox(boxId)
        },
      })
      onClose()
    } catch (error) {
      setProblem(problemWords(error))
      setBusy(false)
    }
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={t('reserve.title', { ranges: words })}
      centered
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <form className="dialog-form" onSubmit={(event) => void submit(event)}>
        <TextInput
          label={t('reserve.for')}
          description={t('reserve.forHint')}
          value={reservedFor}
          onChange={(event) => setReservedFor(event.currentTarget.value)}
          maxLength={200}
          required
          data-autofocus
        />
        <div className="pair">
          <TextInput
            type="date"
            label={t('reserve.until')}
            value={day}
            min={dayAhead(0)}
            onChange={(event) => setDay(event.currentTarget.value)}
            required
          />
          <div className="storage-quick" role="group" aria-label={t('reserve.until')}>
            {quickDays.map((days) => (
              <button key={days} className="btn" type="button" onClick={() => setDay(dayAhead(days))}>
                {t('reserve.days', { count: days })}
              </button>
            ))}
          </div>
        </div>
        <DialogFoot
          problem={problem}
          actLabel={t('reserve.submit', { count: labels.length })}
          disabled={busy || until === null || reservedFor.trim() === ''}
          onClose={onClose}
        />
      </form>
    </Modal>
  )
}

/** `2026-11-28`, by the workstation's calendar. */
function dayAhead(days: number): string {
  const date = new Date()
  date.setDate(date.getDate() + days)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${String(date.getFullYear())}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

function endOfDay(day: string): string | null {
  const at = new Date(`${day}T23:59:59`)
  return Number.isNaN(at.getTime()) ? null : at.toISOString()
}
