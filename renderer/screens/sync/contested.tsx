import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import type { Container } from '../../../services/storage/contract.ts'
import { Notice } from '../../components/notice.tsx'
import { useMay } from '../../session/session-store.ts'

/** The way to where it is decided, for who may see that. */
export function OpenConflicts() {
  const { t } = useTranslation('sync')
  return useMay('sync:read') ? (
    <Link className="btn btn-sm" to="/sync" search={{ view: 'conflicts' }}>
      {t('contestedOpen')}
    </Link>
  ) : null
}

/** Says of a tube that another one claims its position. */
export function ContestedTube({ tube }: { readonly tube: Container }) {
  const { t } = useTranslation('sync')
  if (!tube.contested || tube.place === null) return null
  const { position, boxName: box } = tube.place
  return (
    <Notice tone="bad" detail={t('contestedTubeDetail')} action={<OpenConflicts />}>
      {t('contestedTube', { position, box })}
    </Notice>
  )
}
