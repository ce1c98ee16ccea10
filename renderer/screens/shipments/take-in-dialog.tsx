import { Modal } from '@mantine/core'
import { type SyntheticEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Shipment } from '../../../services/shipments/contract.ts'
import { client } from '../../client.ts'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { Notice } from '../../components/notice.tsx'
import { problemWords } from '../../problem.ts'
import { scanEngine } from '../../scan/scanning.ts'

/** Takes in what was found in the parcel, after saying by name what was not. */
export function TakeInDialog({
  shipment,
  onClose,
}: {
  readonly shipment: Shipment
  readonly onClose: () => void
}) {
  const { t } = useTranslation(['shipments', 'common'])
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const waiting = shipment.items.filter(({ state }) => state === 'travelling')
  const found = waiting.filter(({ checkedOff }) => checkedOff)
  const missing = waiting.filter(({ checkedOff, turnedBack }) => !checkedOff && turnedBack === null)
  const from = shipment.from.name

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setProblem(null)
    try {
      const { id } = shipment
      await client.shipments.receive({ id, missing: missing.map(({ sampleId }) => sampleId) })
      scanEngine.announce({
        tone: 'ok',
        sentence: t('takeIn.done', { count: found.length, from }),
        ...(missing.length === 0 ? {} : { detail: t('takeIn.doneMissing', { count: missing.length }) }),
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
      title={found.length === 0 ? t('takeIn.titleNone') : t('takeIn.title', { count: found.length })}
      centered
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <form className="dialog-form" onSubmit={(event) => void submit(event)}>
        <p className="t2">{found.length === 0 ? t('takeIn.wordsNone') : t('takeIn.words')}</p>
        {missing.length > 0 && (
          <>
            <Notice tone="warn" boxed detail={t('takeIn.missingHint', { from })}>
              {t('takeIn.missing', { count: missing.length })}
            </Notice>
            <ul
              className="ship-missing"
              aria-label={t('takeIn.missing', { count: missing.length })}
              tabIndex={0}
            >
              {missing.map(({ sampleId, code, name }) => (
                <li key={sampleId}>
                  <span className="code">{code ?? t('noCode')}</span> {name}
                </li>
              ))}
            </ul>
          </>
        )}
        <DialogFoot
          problem={problem}
          actLabel={found.length === 0 ? t('takeIn.actNone') : t('takeIn.act', { count: found.length })}
          disabled={busy}
          onClose={onClose}
        />
      </form>
    </Modal>
  )
}
