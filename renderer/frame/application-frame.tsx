import { Outlet, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { connectNavigation } from '../navigation.ts'
import { scanEngine, startScanning } from '../scan/scanning.ts'
import { screensFor } from '../screens/screens.ts'
import { followChanges } from '../session/changes.ts'
import { useMe, useSession } from '../session/session-store.ts'
import { KeysHelp } from './keys-help.tsx'
import { Palette } from './palette.tsx'
import { Rail } from './rail.tsx'
import { ScanLine } from './scan-line.tsx'
import { TopBar } from './top-bar.tsx'

const narrowKey = 'tracseq:rail'

/** What stands around every screen: scan line, rail, bar; and the keys that work everywhere. */
export function ApplicationFrame() {
  const { t } = useTranslation('frame')
  const session = useSession()
  const navigate = useNavigate()
  const [narrow, setNarrow] = useState(() => localStorage.getItem(narrowKey) === 'narrow')
  const [keysHelp, setKeysHelp] = useState(false)
  useEffect(() => {
    connectNavigation((options) => void navigate(options))
    const stopScanning = startScanning()
    const stopFollowing = followChanges()
    return () => {
      stopScanning()
      stopFollowing()
    }
  }, [navigate])
  useFrameKeys(() => setKeysHelp(true))

  function keepNarrow(next: boolean): void {
    localStorage.setItem(narrowKey, next ? 'narrow' : 'wide')
    setNarrow(next)
  }

  return (
    <div className={`app${narrow ? ' narrow' : ''}`}>
      <a className="skip" href="#page" onClick={skipToPage}>
        {t('skip')}
      </a>
      <ScanLine workstation={session.stage === 'signed-in' ? session.status.workstationName : ''} />
      <Rail narrow={narrow} onNarrow={keepNarrow} />
      <TopBar />
      <main id="page" tabIndex={-1}>
        <Outlet />
      </main>
      <Palette onKeysHelp={() => setKeysHelp(true)} />
      {keysHelp && <KeysHelp onClose={() => setKeysHelp(false)} />}
    </div>
  )
}

/** The address holds the route, so the jump is made by focus and not by the address. */
function skipToPage(event: { preventDefault: () => void }): void {
  event.preventDefault()
  document.getElementById('page')?.focus()
}

/** Alt 1 to 9, Ctrl Z and `?`. A key that a field needs is left to the field. */
function useFrameKeys(onHelp: () => void): void {
  const navigate = useNavigate()
  const { permissions } = useMe()
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent): void {
      if (event.defaultPrevented || event.isComposing) return
      const digit = /^Digit([1-9])$/.exec(event.code)?.[1]
      if (digit !== undefined && event.altKey && !event.ctrlKey && !event.metaKey) {
        const screen = screensFor(permissions)[Number(digit) - 1]
        if (screen === undefined) return
        event.preventDefault()
        void navigate({ to: screen.path })
        return
      }
      if (isTyping(event.target)) return
      if (event.key.toLowerCase() === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
        const newest = scanEngine.newestUndo()
        if (newest === null) return
        event.preventDefault()
        void scanEngine.undo(newest.id)
      } else if (event.key === '?' && !event.ctrlKey && !event.altKey) {
        event.preventDefault()
        onHelp()
      }
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  })
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(target.type)) ||
    (target instanceof HTMLElement && target.isContentEditable)
  )
}
