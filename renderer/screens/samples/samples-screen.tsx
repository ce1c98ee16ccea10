import { Select, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Sample, SampleType } from '../../../services/samples/contract.ts'
import { api } from '../../client.ts'
import { Cap } from '../../components/cap.tsx'
import { DataGrid, type GridColumn } from '../../components/data-grid.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Icon } from '../../components/icon.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { SampleStatus } from '../../components/status.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { countText, shortMoment } from '../../moments.ts'
import { goTo } from '../../navigation.ts'
import { BulkBar } from './bulk-bar.tsx'
import { samplesAsCsv } from './sample-csv.ts'
import type { SampleFilters } from './sample-filters.ts'
import './samples.css'

interface SamplesScreenProps {
  readonly filters: SampleFilters
  readonly onFilters: (filters: SampleFilters) => void
}

const pageSize = 200

/** All samples: filters in the address, a list that stays smooth, and what can be done to many at once. */
export function SamplesScreen({ filters, onFilters }: SamplesScreenProps) {
  const { t } = useTranslation('samples')
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const types = useQuery(api.samples.types.queryOptions())
  const counts = useQuery(api.samples.counts.queryOptions())
  const list = useInfiniteQuery({
    ...api.samples.list.infiniteOptions({
      input: (cursor: string | undefined) => ({ ...filters, limit: pageSize, cursor }),
      initialPageParam: undefined,
      getNextPageParam: (page) => page.nextCursor ?? undefined,
    }),
    placeholderData: keepPreviousData,
  })
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data])
  const total = countOf(counts.data, filters)
  usePageSubject(t('title'), total === null ? '' : t('context', { count: total, shown: countText(total) }))

  const letters = new Map(types.data?.map((type) => [type.key, type]))
  const isFiltered = Object.keys(filters).some((key) => key !== 'sort')
  const chosen = rows.filter((row) => selected.has(row.id))
  const refresh = () => {
    setSelected(new Set())
    void list.refetch()
    void counts.refetch()
  }

  return (
    <div className="samples">
      <FilterBar
        filters={filters}
        onFilters={onFilters}
        types={types.data ?? []}
        counts={counts.data ?? []}
        onExport={() => download(samplesAsCsv(chosen.length > 0 ? chosen : rows))}
      />
      {chosen.length > 0 && (
        <BulkBar samples={chosen} onDone={refresh} onClear={() => setSelected(new Set())} />
      )}
      <div className="samples-list">
        {list.isError ? (
          <ProblemNotice what={t('title')} error={list.error} onRetry={() => void list.refetch()} />
        ) : (
          <DataGrid
            label={t('title')}
            columns={columnsOf(letters, t)}
            rows={rows}
            rowKey={(row) => row.id}
            {...(total === null ? {} : { total })}
            sort={filters.sort ?? '-createdAt'}
            onSort={(sort) => onFilters({ ...filters, sort: sort as SampleFilters['sort'] })}
            selected={selected}
            onSelect={setSelected}
            onOpen={(row) => goTo({ to: '/samples/$id', params: { id: row.id } })}
            onEndReached={() => {
              if (list.hasNextPage && !list.isFetchingNextPage) void list.fetchNextPage()
            }}
            rowTone={(row) => (row.amountRemark === null ? undefined : 'warn')}
            empty={
              list.isPending ? (
                <p className="t3 samples-wait" role="status">
                  {t('reading')}
                </p>
              ) : (
                <EmptyState
                  icon="tube"
                  title={isFiltered ? t('noneMatch') : t('empty')}
                  hint={isFiltered ? t('noneMatchHint') : t('emptyHint')}
                >
                  {isFiltered ? (
                    <button type="button" className="btn" onClick={() => onFilters({})}>
                      {t('clearFilters')}
                    </button>
                  ) : (
                    <button
                      type="button"
                      className="btn btn-1 btn-lg"
                      onClick={() => goTo({ to: '/receive' })}
                    >
                      {t('receive')}
                    </button>
                  )}
                </EmptyState>
              )
            }
          />
        )}
      </div>
    </div>
  )
}

function FilterBar({
  filters,
  onFilters,
  types,
  counts,
  onExport,
}: SamplesScreenProps & {
  readonly types: readonly SampleType[]
  readonly counts: readonly { readonly state: Sample['state']; readonly count: number }[]
  readonly onExport: () => void
}) {
  const { t } = useTranslation('samples')
  const { t: common } = useTranslation('common')
  const [search, setSearch] = useState(filters.search ?? '')
  const sendSearch = useDebouncedCallback((text: string) => onFilters({ ...filters, search: text }), 200)
  return (
    <div className="samples-bar" role="search">
      <TextInput
        aria-label={t('search')}
        placeholder={t('search')}
        value={search}
        leftSection={<Icon name="search" size={16} />}
        onChange={(event) => {
          setSearch(event.currentTarget.value)
          sendSearch(event.currentTarget.value)
        }}
        w={260}
      />
      <Select
        aria-label={t('state')}
        placeholder={t('anyState')}
        clearable
        value={filters.state ?? null}
        data={counts.map(({ state, count }) => ({
          value: state,
          label: `${common(`sampleState.${state}`)} (${countText(count)})`,
        }))}
        onChange={(state) => onFilters({ ...filters, state: state ?? undefined })}
        w={190}
      />
      <Select
        aria-label={t('type')}
        placeholder={t('anyType')}
        clearable
        searchable
        value={filters.type ?? null}
        data={types.map((type) => ({ value: type.key, label: type.name }))}
        onChange={(type) => onFilters({ ...filters, type: type ?? undefined })}
        w={160}
      />
      {filters.project !== undefined && (
        <button
          type="button"
          className="btn btn-sm"
          onClick={() => onFilters({ ...filters, project: undefined })}
        >
          {t('projectIs', { project: filters.project })}
          <Icon name="close" size={14} />
        </button>
      )}
      {filters.importId !== undefined && (
        <button
          type="button"
          className="btn btn-sm"
          onClick={() => onFilters({ ...filters, importId: undefined })}
        >
          {t('ofImport')}
          <Icon name="close" size={14} />
        </button>
      )}
      <button type="button" className="btn samples-export" onClick={onExport}>
        <Icon name="download" size={16} />
        {t('export')}
      </button>
    </div>
  )
}

type Translate = ReturnType<typeof useTranslation<'samples'>>['t']

function columnsOf(types: ReadonlyMap<string, SampleType>, t: Translate): readonly GridColumn<Sample>[] {
  return [
    {
      key: 'code',
      head: t('code'),
      width: '172px',
      cell: (row) => (
        <span className="samples-code">
          <Cap material={row.type} letter={types.get(row.type)?.letter ?? '?'} size="s" />
          <span className="code">{row.code ?? t('noCode')}</span>
        </span>
      ),
    },
    { key: 'name', head: t('name'), width: 'minmax(150px, 1.4fr)', sortKey: 'name', cell: (row) => row.name },
    {
      key: 'type',
      head: t('type'),
      width: '92px',
      sortKey: 'type',
      cell: (row) => types.get(row.type)?.name ?? row.type,
    },
    {
      key: 'state',
      head: t('state'),
      width: '120px',
      sortKey: 'state',
      cell: (row) => <SampleStatus state={row.state} />,
    },
    { key: 'project', head: t('project'), width: 'minmax(90px, .7fr)', cell: (row) => row.project ?? '' },
    { key: 'donor', head: t('donor'), width: 'minmax(80px, .6fr)', cell: (row) => row.donor ?? '' },
    {
      key: 'volume',
      head: t('volume'),
      width: '84px',
      align: 'end',
      cell: (row) => (row.volumeUl === null ? '' : row.volumeUl),
    },
    {
      key: 'location',
      head: t('location'),
      width: 'minmax(140px, 1fr)',
      cell: (row) => <Whereabouts sample={row} />,
    },
    {
      key: 'created',
      head: t('created'),
      width: '106px',
      sortKey: 'createdAt',
      cell: (row) => <time dateTime={row.createdAt}>{shortMoment(row.createdAt)}</time>,
    },
  ]
}

/** Box and position, which is what a hand looks for; the whole path is one look further away. */
/** Where it lies, or where it was shipped. */
function Whereabouts({ sample: { location, shippedTo } }: { readonly sample: Sample }) {
  if (shippedTo === null) return <span title={location ?? ''}>{shortPlace(location)}</span>
  return (
    <span title={shippedTo}>
      <Icon name="truck" size={14} /> {shippedTo}
    </span>
  )
}

function shortPlace(location: string | null): string {
  return location?.split(' › ').at(-1) ?? ''
}

/** How many there are, where it is known without counting: all, or those of one state. */
function countOf(
  counts: readonly { readonly state: Sample['state']; readonly count: number }[] | undefined,
  { state, search, type, project, importId }: SampleFilters,
): number | null {
  if (counts === undefined || [search, type, project, importId].some((each) => each !== undefined))
    return null
  const counted = counts.filter((each) =>
    state === undefined ? each.state !== 'deleted' : each.state === state,
  )
  return counted.reduce((sum, each) => sum + each.count, 0)
}

function download(text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/csv' }))
  const link = document.createElement('a')
  link.href = address
  link.download = 'samples.csv'
  link.click()
  URL.revokeObjectURL(address)
}
