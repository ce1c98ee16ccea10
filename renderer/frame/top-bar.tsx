import { spotlight } from '@mantine/spotlight'
import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { Icon } from '../components/icon.tsx'
import { lockSession } from '../session/session-store.ts'
import { AccountMenu } from './account-menu.tsx'
import { useAlerts } from './alerts.ts'
import { useShownSubject } from './page-subject.ts'
import { SyncState } from './sync-state.tsx'

/** The page's subject on the left; search, connection, alerts and the person on the right. */
export function TopBar() {
  const { t } = useTranslation('frame')
  const { subject, context } = useShownSubject()
  const alerts = useAlerts()
  return (
    <section className="bar" aria-label={t('page')}>
      <h1>{subject}</h1>
      <p className="ctx">{context}</p>
      <button className="find" type="button" onClick={() => spotlight.open()} aria-keyshortcuts="Control+K">
        <Icon name="search" size={16} />
        {t('search')}
        <kbd>{t('searchKeys')}</kbd>
      </button>
      <SyncState />
      <Link className="tool" to="/bench">
        <Icon name="bell" size={16} />
        <b aria-hidden="true">{alerts.length}</b>
        <span className="vh">{t('alerts', { count: alerts.length })}</span>
      </Link>
      <span className="vr" />
      <AccountMenu />
      <button
        className="tool"
        type="button"
        aria-label={t('lock')}
        title={t('lock')}
        onClick={() => void lockSession()}
      >
        <Icon name="lock" size={16} />
      </button>
    </section>
  )
}
