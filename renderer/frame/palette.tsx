import { Spotlight, spotlight } from '@mantine/spotlight'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../client.ts'
import type { IconName } from '../components/drawings.tsx'
import { Icon } from '../components/icon.tsx'
import { goTo } from '../navigation.ts'
import { scanTyped } from '../scan/scanning.ts'
import { screensFor } from '../screens/screens.ts'
import { lockSession, signOut, useMe } from '../session/session-store.ts'

interface Action {
  readonly id: string
  readonly icon: IconName
  readonly label: string
  readonly hint?: string
  readonly run: () => void
}

interface Group {
  readonly label: string
  readonly actions: readonly Action[]
}

/** Ctrl K: every screen and act by name; samples, places and containers by code or words. */
export function Palette({ onKeysHelp }: { readonly onKeysHelp: () => void }) {
  const { t } = useTranslation('frame')
  const [text, setText] = useState('')
  const wanted = text.trim()
  const found = useFound(wanted)
  const commands = useCommands(wanted, onKeysHelp)
  const asScan = useAsScan(wanted)
  // Who types a name looks for it; who types one of our codes does so because the scanner could not read it.
  const isOwnCode = /^[a-z]{2}-[0-9a-z]{4}-[0-9]/i.test(wanted)
  const groups = [
    ...(isOwnCode ? asScan : []),
    ...commands,
    ...found.groups,
    ...(isOwnCode ? [] : asScan),
  ].filter(({ actions }) => actions.length > 0)
  const list = useFirstChosen(groups[0]?.actions[0]?.id)
  return (
    <Spotlight.Root
      query={text}
      onQueryChange={setText}
      shortcut="mod + K"
      scrollable
      maxHeight={460}
      clearQueryOnClose
      returnFocus
      overlayProps={{ blur: 0, backgroundOpacity: 0.35 }}
      attributes={{ content: { 'aria-label': t('search') } }}
    >
      <Spotlight.Search
        placeholder={t('palette.placeholder')}
        leftSection={<Icon name="search" />}
        maxLength={200}
      />
      <Spotlight.ActionsList ref={list} aria-label={t('search')}>
        {groups.map((group) => (
          <Spotlight.ActionsGroup key={group.label} label={group.label}>
            {group.actions.map((action) => (
              <Spotlight.Action
                key={action.id}
                label={action.label}
                {...(action.hint === undefined ? {} : { description: action.hint })}
                leftSection={<Icon name={action.icon} />}
                highlightQuery={false}
                onClick={() => {
                  spotlight.close()
                  action.run()
                }}
              />
            ))}
          </Spotlight.ActionsGroup>
        ))}
        {groups.length === 0 && (
          <Spotlight.Empty>
            {found.searching ? t('palette.searching') : t('palette.nothing', { text: wanted })}
          </Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  )
}

function useCommands(wanted: string, onKeysHelp: () => void): readonly Group[] {
  const { t } = useTranslation('frame')
  const { permissions } = useMe()
  const ship: Action = {
    ...{ id: 'ship', icon: 'truck', label: t('palette.ship') },
    run: () => goTo({ to: '/shipments/new' }),
  }
  const fits = ({ label }: Action) => label.toLowerCase().includes(wanted.toLowerCase())
  const actions: readonly Action[] = [
    { id: 'receive', icon: 'receive', label: t('palette.receive'), run: () => goTo({ to: '/receive' }) },
    ...(permissions.includes('shipments:send') ? [ship] : []),
    {
      id: 'verify',
      icon: 'shield',
      label: t('palette.verify'),
      run: () => goTo({ to: '/audit', search: { verify: true } }),
    },
    { id: 'lock', icon: 'lock', label: t('palette.lock'), run: () => void lockSession() },
    { id: 'sign-out', icon: 'person', label: t('palette.signOut'), run: () => void signOut() },
    { id: 'keys', icon: 'ask', label: t('palette.keys'), hint: '?', run: onKeysHelp },
  ]
  const screens = screensFor(permissions).map(({ key, path, icon }): Action => ({
    id: key,
    icon,
    label: t(`screens.${key}`),
    run: () => goTo({ to: path }),
  }))
  return [
    { label: t('palette.actions'), actions: actions.filter(fits) },
    { label: t('palette.screens'), actions: screens.filter(fits) },
  ]
}

function useAsScan(wanted: string): readonly Group[] {
  const { t } = useTranslation('frame')
  if (wanted === '') return []
  const action: Action = {
    id: 'scan',
    icon: 'scanner',
    label: t('palette.asScan', { text: wanted }),
    hint: t('palette.asScanHint'),
    run: () => scanTyped(wanted),
  }
  return [{ label: t('palette.scanner'), actions: [action] }]
}

/** What Enter does is the first of the list, also when answers come in above what was first before. */
function useFirstChosen(firstId: string | undefined) {
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => {
    list.current?.querySelector('[data-selected]')?.removeAttribute('data-selected')
    list.current?.querySelector('[data-action]')?.setAttribute('data-selected', 'true')
  }, [firstId])
  return list
}

function useFound(wanted: string): { readonly groups: readonly Group[]; readonly searching: boolean } {
  const { t } = useTranslation(['frame', 'common'])
  const { permissions } = useMe()
  const [search] = useDebouncedValue(wanted, 150)
  const isLong = search.length >= 2
  const maySamples = isLong && permissions.includes('samples:read')
  const mayStorage = isLong && permissions.includes('storage:read')
  const samples = useQuery(
    api.samples.list.queryOptions({ input: { search, limit: 6 }, enabled: maySamples }),
  )
  const containers = useQuery(
    api.storage.listContainers.queryOptions({ input: { search, limit: 5 }, enabled: mayStorage }),
  )
  const tree = useQuery(api.storage.tree.queryOptions({ input: {}, enabled: mayStorage, staleTime: 10_000 }))
  if (!isLong) return { groups: [], searching: false }
  const small = search.toLowerCase()
  const places = (tree.data ?? [])
    .filter(
      ({ name, code }) => name.toLowerCase().includes(small) || code?.toLowerCase().includes(small) === true,
    )
    .slice(0, 6)
  return {
    searching: samples.isFetching || containers.isFetching || tree.isFetching,
    groups: [
      {
        label: t('palette.samples'),
        actions: (samples.data?.items ?? []).map((sample) => ({
          id: sample.id,
          icon: 'tube',
          label: sample.name,
          hint: [sample.code, t(`common:sampleState.${sample.state}`), sample.project, sample.location]
            .filter((word) => word != null && word !== '')
            .join(' · '),
          run: () => goTo({ to: '/samples/$id', params: { id: sample.id } }),
        })),
      },
      {
        label: t('palette.places'),
        actions: places.map((node) => ({
          id: node.id,
          icon: node.kind === 'box' ? 'box' : 'freezer',
          label: node.name,
          ...(node.code === null ? {} : { hint: node.code }),
          run: () =>
            node.kind === 'box'
              ? goTo({ to: '/storage/$boxId', params: { boxId: node.id } })
              : goTo({ to: '/storage', search: { node: node.id } }),
        })),
      },
      {
        label: t('palette.containers'),
        actions: (containers.data?.items ?? []).map((container) => ({
          id: container.id,
          icon: 'tube',
          label: container.label,
          hint:
            container.place === null
              ? t(`common:containerState.${container.state}`)
              : `${container.place.boxName}, ${container.place.position}`,
          run: () =>
            container.sampleId !== null
              ? goTo({ to: '/samples/$id', params: { id: container.sampleId } })
              : container.place === null
                ? goTo({ to: '/storage' })
                : goTo({ to: '/storage/$boxId', params: { boxId: container.place.boxId } }),
        })),
      },
    ],
  }
}
