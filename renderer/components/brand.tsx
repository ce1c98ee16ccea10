import { useTranslation } from 'react-i18next'

/** The mark, the product's name and, where it is known, the workstation's. */
export function Brand({ workstation }: { readonly workstation?: string }) {
  const { t } = useTranslation()
  return (
    <div className="scan-home">
      <svg viewBox="0 0 26 26" fill="none" aria-hidden="true">
        <path d="M5 2.5v21M21 2.5v21" stroke="var(--display-dim)" strokeWidth="2" strokeLinecap="round" />
        <path
          d="M5 6.5h16M5 13h10M5 19.5h16"
          stroke="var(--display-mark)"
          strokeWidth="2"
          strokeLinecap="round"
        />
      </svg>
      <div className="ell">
        <b>{t('product')}</b>
        {workstation !== undefined && <span className="ell">{workstation}</span>}
      </div>
    </div>
  )
}
