import { Textarea, TextInput } from '@mantine/core'
import { useTranslation } from 'react-i18next'

/** What is written on a parcel, and why it goes. */
export interface Parcel {
  readonly carrier: string
  readonly reference: string
  readonly reason: string
}

export const emptyParcel: Parcel = { carrier: '', reference: '', reason: '' }

/** What the Hub is told of it. */
export function tidyParcel({ carrier, reference, reason }: Parcel): Parcel {
  return { carrier: carrier.trim(), reference: reference.trim(), reason: reason.trim() }
}

export function ParcelFields({
  parcel,
  onChange,
}: {
  readonly parcel: Parcel
  readonly onChange: (change: Partial<Parcel>) => void
}) {
  const { t } = useTranslation('shipments')
  return (
    <>
      <div className="pair">
        <TextInput
          label={t('carrier')}
          placeholder={t('carrierHint')}
          value={parcel.carrier}
          maxLength={100}
          onChange={(event) => onChange({ carrier: event.currentTarget.value })}
        />
        <TextInput
          label={t('reference')}
          value={parcel.reference}
          maxLength={100}
          onChange={(event) => onChange({ reference: event.currentTarget.value })}
        />
      </div>
      <Textarea
        label={t('why')}
        description={t('whyHint')}
        withAsterisk
        value={parcel.reason}
        maxLength={1_000}
        autosize
        minRows={2}
        onChange={(event) => onChange({ reason: event.currentTarget.value })}
      />
    </>
  )
}
