import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import { client } from '../../client.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { scanEngine } from '../../scan/scanning.ts'
import { EnrolmentFields } from './enrolment-fields.tsx'

/** Takes this workstation with its laboratory to a Hub. Asked once more, since there is no way back. */
export function EnrolForm() {
  const { t } = useTranslation('sync')
  const [given, setGiven] = useState<{ readonly hubUrl: string; readonly code: string } | null>(null)

  return (
    <div className="enrol scroll" tabIndex={0} role="region" aria-label={t('enrol.title')}>
      <h2>{t('enrol.title')}</h2>
      <p className="t2">{t('alone.hint')}</p>
      <p className="t2">{t('enrol.lead')}</p>
      <EnrolmentFields
        submitLabel={t('enrol.go')}
        onSubmit={(fields) => {
          setGiven(fields)
          return Promise.resolve()
        }}
      />
      {given !== null && (
        <ConfirmDialog
          title={t('enrol.confirmTitle')}
          words={t('enrol.confirmWords', { hub: given.hubUrl })}
          confirmLabel={t('enrol.go')}
          onConfirm={async () => {
            await client.sync.enroll(given)
            scanEngine.announce({ tone: 'ok', sentence: t('enrol.done') })
          }}
          onClose={() => setGiven(null)}
        />
      )}
    </div>
  )
}
