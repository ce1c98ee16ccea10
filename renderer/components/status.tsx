import { useTranslation } from 'react-i18next'
import type { ContainerState, SampleState } from './domain-words.ts'
import type { IconName } from './drawings.tsx'
import { Icon } from './icon.tsx'

export type StatusTone = 'ok' | 'warn' | 'bad' | 'idle' | 'now'

/** One shape per tone, so that colour is never alone. */
const shapes: Readonly<Record<StatusTone, IconName>> = {
  ok: 'ok',
  warn: 'warn',
  bad: 'bad',
  idle: 'ring',
  now: 'half',
}

interface StatusProps {
  readonly tone: StatusTone
  readonly word: string
  /** Where the tone's own shape says too little, such as bars for "on hold". */
  readonly icon?: IconName
  /** With a tint behind it: for headers only. */
  readonly chip?: boolean
}

/** Icon, word and colour, always the three. */
export function Status({ tone, word, icon, chip = false }: StatusProps) {
  return (
    <span className={`st ${tone}${chip ? ' chip' : ''}`}>
      <Icon name={icon ?? shapes[tone]} size={14} />
      {word}
    </span>
  )
}

const sampleTones: Readonly<Record<SampleState, readonly [StatusTone, IconName]>> = {
  pending: ['idle', 'ring'],
  validated: ['ok', 'check'],
  in_storage: ['ok', 'ok'],
  in_sequencing: ['now', 'half'],
  completed: ['ok', 'ok'],
  failed: ['bad', 'bad'],
  rejected: ['bad', 'ban'],
  archived: ['idle', 'file'],
  discarded: ['idle', 'minus'],
  deleted: ['idle', 'trash'],
}

/** A sample's state in its words. */
export function SampleStatus({
  state,
  chip = false,
}: {
  readonly state: SampleState
  readonly chip?: boolean
}) {
  const { t } = useTranslation('common')
  const [tone, icon] = sampleTones[state]
  return <Status tone={tone} icon={icon} word={t(`sampleState.${state}`)} chip={chip} />
}

const containerTones: Readonly<Record<ContainerState, readonly [StatusTone, IconName]>> = {
  unplaced: ['warn', 'ring'],
  placed: ['ok', 'ok'],
  checked_out: ['now', 'hand'],
  disposed: ['idle', 'trash'],
}

/** A container's state in its words. */
export function ContainerStatus({
  state,
  chip = false,
}: {
  readonly state: ContainerState
  readonly chip?: boolean
}) {
  const { t } = useTranslation('common')
  const [tone, icon] = containerTones[state]
  return <Status tone={tone} icon={icon} word={t(`containerState.${state}`)} chip={chip} />
}
