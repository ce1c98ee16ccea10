import { Modal, PasswordInput, Popover, Switch, useMantineColorScheme } from '@mantine/core'
import { type SyntheticEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { NewPassword, Pin } from '../../services/auth/contract.ts'
import { client } from '../client.ts'
import { DialogFoot } from '../components/dialog-foot.tsx'
import type { IconName } from '../components/drawings.tsx'
import { Icon } from '../components/icon.tsx'
import { Notice } from '../components/notice.tsx'
import { Segmented } from '../components/segmented.tsx'
import { problemWords } from '../problem.ts'
import { areSoundsOn, turnSounds } from '../scan/tones.ts'
import { lockSession, signOut, useMe } from '../session/session-store.ts'

type Secret = 'password' | 'pin'

/** Who is signed in, and what concerns that person alone. */
export function AccountMenu() {
  const { t } = useTranslation(['session', 'frame', 'common'])
  const { user } = useMe()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const [open, setOpen] = useState(false)
  const [sounds, setSounds] = useState(areSoundsOn)
  const [changing, setChanging] = useState<Secret | null>(null)
  const role = user.roles[0]
  const roleWord = role === undefined ? '' : t(`role.${role}`)
  function choose(act: () => void): void {
    setOpen(false)
    act()
  }

  return (
    <>
      <Popover
        position="bottom-end"
        width={260}
        shadow="md"
        trapFocus
        returnFocus
        opened={open}
        onChange={setOpen}
      >
        <Popover.Target>
          <button className="who" type="button" onClick={() => setOpen(!open)}>
            <i aria-hidden="true">{initialsOf(user.name)}</i>
            {roleWord}
            <span className="vh">{t('frame:account', { name: user.name })}</span>
          </button>
        </Popover.Target>
        <Popover.Dropdown p={0} aria-label={user.name}>
          <p className="menu-head">{user.name}</p>
          <div className="menu-row">
            <Segmented
              label={t('menu.theme')}
              value={colorScheme}
              onChange={setColorScheme}
              options={[
                { value: 'light', label: t('menu.light') },
                { value: 'dark', label: t('menu.dark') },
                { value: 'auto', label: t('menu.auto') },
              ]}
            />
          </div>
          <div className="menu-row">
            <Switch
              size="sm"
              label={t('menu.sound')}
              checked={sounds}
              onChange={({ currentTarget }) => {
                turnSounds(currentTarget.checked)
                setSounds(currentTarget.checked)
              }}
            />
          </div>
          <ul className="menu-list">
            <MenuItem
              icon="key"
              word={t('menu.changePassword')}
              onClick={() => choose(() => setChanging('password'))}
            />
            <MenuItem icon="key" word={t('menu.setPin')} onClick={() => choose(() => setChanging('pin'))} />
            <MenuItem icon="lock" word={t('menu.lock')} onClick={() => choose(() => void lockSession())} />
            <MenuItem icon="person" word={t('menu.signOut')} onClick={() => choose(() => void signOut())} />
          </ul>
        </Popover.Dropdown>
      </Popover>
      {changing !== null && <SecretDialog kind={changing} onClose={() => setChanging(null)} />}
    </>
  )
}

interface MenuItemProps {
  readonly icon: IconName
  readonly word: string
  readonly onClick: () => void
}

function MenuItem({ icon, word, onClick }: MenuItemProps) {
  return (
    <li>
      <button type="button" onClick={onClick}>
        <Icon name={icon} size={16} />
        {word}
      </button>
    </li>
  )
}

function SecretDialog({ kind, onClose }: { readonly kind: Secret; readonly onClose: () => void }) {
  const { t } = useTranslation(['session', 'common'])
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [done, setDone] = useState(false)
  const rule = (kind === 'password' ? NewPassword : Pin).safeParse(next).error?.issues[0]?.message ?? null

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault()
    if (rule !== null) {
      setProblem(rule)
      return
    }
    setProblem(null)
    try {
      if (kind === 'password')
        await client.auth.changePassword({ currentPassword: current, newPassword: next })
      else await client.auth.setPin({ password: current, pin: next })
      setDone(true)
    } catch (error) {
      setProblem(problemWords(error))
    }
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={kind === 'password' ? t('menu.changePassword') : t('menu.setPin')}
      centered
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      {done ? (
        <div className="dialog-form">
          <Notice tone="ok" boxed>
            {kind === 'password' ? t('menu.changed') : t('menu.pinSet')}
          </Notice>
          <div className="dialog-acts">
            <button className="btn btn-1" type="button" autoFocus onClick={onClose}>
              {t('common:close')}
            </button>
          </div>
        </div>
      ) : (
        <form className="dialog-form" onSubmit={(event) => void submit(event)}>
          <PasswordInput
            label={t('menu.current')}
            data-autofocus
            value={current}
            onChange={(event) => setCurrent(event.target.value)}
          />
          <PasswordInput
            label={kind === 'password' ? t('menu.next') : t('menu.pinNew')}
            {...(kind === 'password'
              ? { description: t('firstRun.passwordHint') }
              : { inputMode: 'numeric' as const })}
            value={next}
            onChange={(event) => setNext(event.target.value)}
          />
          <DialogFoot
            problem={problem}
            actLabel={t('common:save')}
            disabled={current === '' || next === ''}
            onClose={onClose}
          />
        </form>
      )}
    </Modal>
  )
}

function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter((word) => word !== '')
  const first = words[0]?.[0] ?? ''
  const last = words.length > 1 ? (words.at(-1)?.[0] ?? '') : ''
  return `${first}${last}`.toUpperCase()
}
