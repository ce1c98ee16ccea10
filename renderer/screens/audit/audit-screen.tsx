import { Select, TextInput } from '@mantine/core'
import { keepPreviousData, useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import type { TFunction } from 'i18next'
import { useCallback, useEffect, useMemo, useRef } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../client.ts'
import { DataGrid, type GridColumn } from '../../components/data-grid.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Icon } from '../../components/icon.tsx'
import { Notice } from '../../components/notice.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { usePageSubject } from '../../frame/page-subject.ts'
import { countText, wholeMoment } from '../../moments.ts'
import { problemWords } from '../../problem.ts'
import { useMay } from '../../session/session-store.ts'
import type { AuditSearch } from './audit-search.ts'
import { EntryDetail } from './entry-detail.tsx'
import { entryWords, eventWords, partWords, reactionTo } from './entry-words.ts'
import { usePeopleNames } from './people-names.ts'
import './audit.css'

type Item = Awaited<ReturnType<typeof api.system.searchAudit.call>>['items'][number]

/** Everything that was ever changed, by whom and why; and the proof that nothing is missing. */
export function AuditScreen() {
  const { t } = useTranslation(['audit', 'frame'])
  const { t: words } = useTranslation('audit')
  const search = useSearch({ from: '/audit' })
  const navigate = useNavigate()
  const nameOf = usePeopleNames()
  const change = useCallback(
    (next: Partial<AuditSearch>) => {
      const whole = Object.entries({ ...search, ...next }).filter(
        ([, value]) => value !== undefined && value !== '',
      )
      void navigate({ to: '/audit', search: Object.fromEntries(whole), replace: true })
    },
    [navigate, search],
  )

  const filters = useMemo(() => toFilters(search), [search])
  const list = useInfiniteQuery({
    ...api.system.searchAudit.infiniteOptions({
      input: (cursor: string | undefined) => ({
        ...filters,
        limit: 200,
        ...(cursor === undefined ? {} : { cursor }),
      }),
      initialPageParam: undefined,
      getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined,
    }),
    placeholderData: keepPreviousData,
  })
  const journal = useQuery(api.system.journal.queryOptions())
  const rows = useMemo(() => list.data?.pages.flatMap(({ items }) => items) ?? [], [list.data])
  const head = journal.data?.head?.sequence
  usePageSubject(t('frame:screens.audit'), head === undefined ? '' : t('context', { total: countText(head) }))

  const { fetchNextPage, hasNextPage, isFetchingNextPage } = list
  const readOn = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [fetchNextPage, hasNextPage, isFetchingNextPage])

  const columns: readonly GridColumn<Item>[] = [
    {
      key: 'number',
      head: t('columns.number'),
      width: '66px',
      align: 'end',
      cell: ({ sequence }) => sequence,
    },
    {
      key: 'time',
      head: t('columns.time'),
      width: '164px',
      cell: ({ recordedAt }) => wholeMoment(recordedAt),
    },
    {
      key: 'person',
      head: t('columns.person'),
      width: 'minmax(96px, .6fr)',
      cell: ({ actorId }) => nameOf(actorId),
    },
    { key: 'part', head: t('columns.part'), width: '78px', cell: ({ domain }) => partWords(domain, words) },
    {
      key: 'what',
      head: t('columns.what'),
      width: 'minmax(178px, 2.4fr)',
      cell: (item) => entryWords(item, words),
    },
    {
      key: 'reason',
      head: t('columns.reason'),
      width: 'minmax(90px, 1fr)',
      cell: (item) => reasonOf(item, words),
    },
  ]

  return (
    <div className="audit">
      <div className="column">
        <Filters
          search={search}
          onChange={change}
          domains={journal.data?.domains.map(({ name }) => name) ?? []}
        />
        <Verification
          wanted={search.verify === true}
          onAsked={() => change({ verify: undefined })}
          onOpen={(entry) => change({ entry })}
        />
        <div className="grow audit-list">
          {list.isError ? (
            <ProblemNotice
              what={t('frame:screens.audit')}
              error={list.error}
              onRetry={() => void list.refetch()}
            />
          ) : (
            <DataGrid
              label={t('frame:screens.audit')}
              columns={columns}
              rows={rows}
              rowKey={({ sequence }) => String(sequence)}
              openKey={search.entry === undefined ? null : String(search.entry)}
              onOpen={({ sequence }) => change({ entry: sequence })}
              onEndReached={readOn}
              rowTone={({ kind }) => (kind === 'gap' ? 'bad' : kind === 'epoch' ? 'warn' : undefined)}
              empty={
                list.isSuccess ? (
                  <EmptyState icon="shield" title={t('empty')} hint={t('emptyHint')} />
                ) : undefined
              }
            />
          )}
        </div>
      </div>
      <aside className="side scroll" aria-label={t('columns.what')} tabIndex={0}>
        {search.entry === undefined ? (
          <p className="quiet-line choose">{t('choose')}</p>
        ) : (
          <EntryDetail
            sequence={search.entry}
            nameOf={nameOf}
            onCorrelation={(correlationId) => change({ correlationId, entry: search.entry })}
          />
        )}
      </aside>
    </div>
  )
}

interface FiltersProps {
  readonly search: AuditSearch
  readonly onChange: (next: Partial<AuditSearch>) => void
  readonly domains: readonly string[]
}

function Filters({ search, onChange, domains }: FiltersProps) {
  const { t } = useTranslation('audit')
  const mayUsers = useMay('users:read')
  const people = useQuery(api.auth.listUsers.queryOptions({ input: { limit: 500 }, enabled: mayUsers }))
  const isFiltered = Object.keys(search).some((key) => key !== 'entry' && key !== 'verify')
  return (
    <form
      className="filters"
      role="search"
      aria-label={t('filters')}
      onSubmit={(event) => event.preventDefault()}
    >
      <Select
        aria-label={t('domain')}
        placeholder={t('anyDomain')}
        data={domains.map((domain) => ({ value: domain, label: partWords(domain, t) }))}
        value={search.domain ?? null}
        onChange={(domain) => onChange({ domain: domain ?? undefined })}
        clearable
        w={112}
      />
      <Select
        aria-label={t('actor')}
        placeholder={t('anyActor')}
        data={(people.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }))}
        value={search.actorId ?? null}
        onChange={(actorId) => onChange({ actorId: actorId ?? undefined })}
        clearable
        searchable
        w={132}
      />
      <DayField label={t('from')} value={search.from} onChange={(from) => onChange({ from })} />
      <DayField label={t('to')} value={search.to} onChange={(to) => onChange({ to })} />
      <LazyText label={t('text')} value={search.text} width={160} onChange={(text) => onChange({ text })} />
      {search.correlationId !== undefined && (
        <LazyText
          label={t('correlation')}
          value={search.correlationId}
          width={150}
          onChange={(correlationId) => onChange({ correlationId })}
        />
      )}
      {isFiltered && (
        <button
          className="link"
          type="button"
          onClick={() =>
            onChange({
              domain: undefined,
              actorId: undefined,
              from: undefined,
              to: undefined,
              text: undefined,
              eventName: undefined,
              correlationId: undefined,
              changeSetId: undefined,
            })
          }
        >
          {t('clear')}
        </button>
      )}
    </form>
  )
}

interface DayFieldProps {
  readonly label: string
  readonly value: string | undefined
  readonly onChange: (value: string | undefined) => void
}

function DayField({ label, value, onChange }: DayFieldProps) {
  return (
    <label className="day-field">
      <span>{label}</span>
      <input
        type="date"
        value={value ?? ''}
        onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.value)}
      />
    </label>
  )
}

/** A text filter that takes effect when typing has paused. */
function LazyText({ label, value, width, onChange }: DayFieldProps & { readonly width: number }) {
  const timer = useRef<number | undefined>(undefined)
  return (
    <TextInput
      key={value === undefined ? 'empty' : 'set'}
      aria-label={label}
      placeholder={label}
      defaultValue={value ?? ''}
      w={width}
      onChange={(event) => {
        const next = event.target.value.trim()
        window.clearTimeout(timer.current)
        timer.current = window.setTimeout(() => onChange(next === '' ? undefined : next), 400)
      }}
    />
  )
}

interface VerificationProps {
  readonly wanted: boolean
  readonly onAsked: () => void
  readonly onOpen: (sequence: number) => void
}

/** Proves the whole trail on demand, and says what was found. */
function Verification({ wanted, onAsked, onOpen }: VerificationProps) {
  const { t } = useTranslation('audit')
  const may = useMay('audit:verify')
  const proof = useMutation({
    mutationFn: () => api.system.verifyJournal.call(),
  })
  const { mutate } = proof
  useEffect(() => {
    if (!wanted) return
    onAsked()
    mutate()
  }, [wanted, onAsked, mutate])
  if (!may) return null
  const { data } = proof
  return (
    <div className="verification">
      <button className="btn" type="button" disabled={proof.isPending} onClick={() => mutate()}>
        <Icon name="shield" size={16} />
        {t('verify')}
      </button>
      {proof.isPending && (
        <p className="t2 md" role="status">
          {t('verifying')}
        </p>
      )}
      {proof.isError && (
        <Notice tone="bad" boxed>
          {problemWords(proof.error)}
        </Notice>
      )}
      {data !== undefined && (
        <Notice
          boxed
          tone={data.status === 'whole' ? 'ok' : 'bad'}
          detail={[
            t('verifiedDetail', {
              entries: countText(data.entries),
              hash: data.headHash?.slice(0, 12) ?? '–',
            }),
            ...(data.countersigned === null
              ? []
              : [
                  t('countersigned', {
                    entry: countText(data.countersigned.upTo),
                    hub: data.countersigned.by,
                  }),
                ]),
            ...(data.status === 'whole' ? [] : [data.words, ...data.problems]),
          ].join('. ')}
          {...(data.firstBadSequence === null
            ? {}
            : {
                action: (
                  <button
                    className="link sm"
                    type="button"
                    onClick={() => onOpen(data.firstBadSequence ?? 1)}
                  >
                    {t('firstBad', { sequence: data.firstBadSequence })}
                  </button>
                ),
              })}
        >
          {t(data.status)}
        </Notice>
      )}
    </div>
  )
}

/** The address's days as instants of this workstation: the last day is included to its end. */
function toFilters(search: AuditSearch) {
  const { domain, actorId, text, eventName, correlationId, changeSetId, from, to } = search
  const start = from === undefined ? null : new Date(`${from}T00:00:00`)
  const end = to === undefined ? null : new Date(`${to}T23:59:59.999`)
  return {
    domain,
    actorId,
    text,
    eventName,
    correlationId,
    changeSetId,
    ...(start === null || Number.isNaN(start.getTime()) ? {} : { from: start.toISOString() }),
    ...(end === null || Number.isNaN(end.getTime()) ? {} : { to: end.toISOString() }),
  }
}

/** A person's own words; for a reaction what it follows, unless that is said already. */
function reasonOf(item: Item, t: TFunction<'audit'>): string | null {
  const cause = reactionTo(item)
  if (cause === null) return item.reason
  return item.eventNames.length === 0 ? '' : t('reaction', { event: eventWords(cause, t) })
}
