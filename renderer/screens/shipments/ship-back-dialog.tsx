import { Modal } from '@mantine/core'
import { type SyntheticEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Shipment } from '../../../services/shipments/contract.ts'
import { client } from '../../client.ts'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { goTo } from '../../navigation.ts'
import { problemWords } from '../../problem.ts'
import { scanEngine } from '../../scan/scanning.ts'
import { emptyParcel, ParcelFields, tidyParcel } from './parcel-fields.tsx'

/** Ships what came with a shipment and is still here back to where it came from. */
export function ShipBackDialog({
  shipment,
  onClose,
}: {
  readonly shipment: Shipment
  readonly onClose: () => void
}) {
  const { t } = useTranslation(['shipments', 'common'])
  const [parcel, setParcel] = useState(emptyParcel)
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const { name } = shipment.from

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setProblem(null)
    try {
      const made = await client.shipments.sendBack({ id: shipment.id, ...tidyParcel(parcel) })
      const sentence = t('pack.sent', { count: made.items.length, to: made.to.name })
      scanEngine.announce({ tone: 'ok', sentence, detail: t('pack.sentAs', { number: made.number }) })
      onClose()
      goTo({ to: '/shipments/$id', params: { id: made.id } })
    } catch (error) {
      setProblem(problemWords(error))
      setBusy(false)
    }
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={t('shipBack.title', { name })}
      centered
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <form className="dialog-form" onSubmit={(event) => void submit(event)}>
        <p className="t2">{t('shipBack.words', { name })}</p>
        <ParcelFields
          parcel={parcel}
          onChange={(change) => setParcel((current) => ({ ...current, ...change }))}
        />
        <DialogFoot
          problem={problem}
          actLabel={t('shipBack.act')}
          disabled={busy || parcel.reason.trim() === ''}
          onClose={onClose}
        />
      </form>
    </Modal>
  )
}
