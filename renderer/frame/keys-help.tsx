import { Modal } from '@mantine/core'
import { useTranslation } from 'react-i18next'

const lines = [
  ['Ctrl K', 'palette'],
  ['Alt 1 … 9', 'screens'],
  ['Enter', 'enter'],
  ['Esc', 'escape'],
  ['Ctrl Z', 'undo'],
  ['F8, Shift F8', 'problems'],
  ['?', 'help'],
] as const

/** All keys that work everywhere. */
export function KeysHelp({ onClose }: { readonly onClose: () => void }) {
  const { t } = useTranslation(['frame', 'common'])
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('keys.title')}
      centered
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <dl className="kv keys">
        {lines.map(([keys, what]) => (
          <div key={what} style={{ display: 'contents' }}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{t(`keys.${what}`)}</dd>
          </div>
        ))}
      </dl>
      <p className="sm t2" style={{ marginTop: 14 }}>
        {t('keys.note')}
      </p>
    </Modal>
  )
}
