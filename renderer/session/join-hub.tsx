import { useTranslation } from 'react-i18next'
import { client } from '../client.ts'
import { EnrolmentFields } from '../screens/sync/enrolment-fields.tsx'
import { SessionPage } from './session-page.tsx'
import { beginSession } from './session-store.ts'

/** The other way for a new workstation: into a laboratory that a Hub has already. */
export function JoinHub({ onBack }: { readonly onBack: () => void }) {
  const { t } = useTranslation('sync')
  return (
    <SessionPage title={t('join.title')} lead={t('join.lead')}>
      <EnrolmentFields
        submitLabel={t('join.go')}
        onSubmit={async (given) => {
          await client.sync.join(given)
          await beginSession()
        }}
      />
      <div className="aside">
        <button className="btn" type="button" onClick={onBack}>
          {t('join.back')}
        </button>
      </div>
    </SessionPage>
  )
}
