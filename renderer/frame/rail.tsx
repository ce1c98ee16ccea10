import { Link } from '@tanstack/react-router'
import { useTranslation } from 'react-i18next'
import { Icon } from '../components/icon.tsx'
import { type ScreenEntry, screensFor } from '../screens/screens.ts'
import { useMe } from '../session/session-store.ts'
import { useRailCounts } from './rail-counts.ts'

interface RailProps {
  readonly narrow: boolean
  readonly onNarrow: (narrow: boolean) => void
}

/** The screens, with what waits in each. */
export function Rail({ narrow, onNarrow }: RailProps) {
  const { t } = useTranslation('frame')
  const { permissions } = useMe()
  const visible = screensFor(permissions)
  const counts = useRailCounts()
  return (
    <nav className="rail" aria-label={t('main')}>
      {visible.map((screen, index) => (
        <Entry
          key={screen.key}
          screen={screen}
          index={index}
          count={counts[screen.key] ?? 0}
          narrow={narrow}
          ruleBefore={screen.below && visible[index - 1]?.below === false}
        />
      ))}
      <button className="foot" type="button" aria-expanded={!narrow} onClick={() => onNarrow(!narrow)}>
        <Icon name={narrow ? 'right2' : 'left2'} size={16} />
        <span className={narrow ? 'vh' : 'word'}>{narrow ? t('expand') : t('collapse')}</span>
      </button>
    </nav>
  )
}

interface EntryProps {
  readonly screen: ScreenEntry
  readonly index: number
  readonly count: number
  readonly narrow: boolean
  readonly ruleBefore: boolean
}

function Entry({ screen, index, count, narrow, ruleBefore }: EntryProps) {
  const { t } = useTranslation('frame')
  const word = t(`screens.${screen.key}`)
  return (
    <>
      {ruleBefore && <hr />}
      <Link
        to={screen.path}
        activeOptions={{ exact: false, includeSearch: false }}
        activeProps={{ 'aria-current': 'page' }}
        aria-keyshortcuts={`Alt+${String(index + 1)}`}
        {...(narrow ? { title: word, 'aria-label': word } : {})}
      >
        <Icon name={screen.icon} />
        <span className="word">{word}</span>
        {count > 0 && (
          <span className="n">
            {count}
            <span className="vh"> {t('waiting')}</span>
          </span>
        )}
      </Link>
    </>
  )
}
