import { Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Import, Template } from '../../../services/templates/contract.ts'
import { api, client, queries } from '../../client.ts'
import { Notice } from '../../components/notice.tsx'
import { Status } from '../../components/status.tsx'
import { countText } from '../../moments.ts'
import { problemWords } from '../../problem.ts'
import type { ImportStep } from './receive-search.ts'

type Mapping = Omit<Parameters<typeof client.templates.mapColumns>[0], 'id'>
type Column = Import['columns'][number]

/** Below this a person should look at what was matched. */
const sureFrom = 0.8
const asItCame = '*extra'
const leftOut = '*left-out'

interface ColumnsStepProps {
  readonly subject: Import
  readonly template: Template | null
  readonly onStep: (step: ImportStep) => void
}

/** Step two: which sheet, which header row, and what each column is. */
export function ColumnsStep({ subject, template, onStep }: ColumnsStepProps) {
  const { t } = useTranslation('receive')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const templates = useQuery(api.templates.list.queryOptions({ input: { limit: 100, state: 'published' } }))
  const fixed = subject.summary.saved > 0
  const inFile = subject.columns.filter(({ column }) => column !== '')
  const fields = template?.fields ?? []
  const labelOf = (key: string) => fields.find((field) => field.key === key)?.label ?? key
  const withoutColumn = fields.filter(
    ({ key }) => !inFile.some(({ use, fieldKey }) => use === 'field' && fieldKey === key),
  )
  const next = useRef<HTMLButtonElement>(null)
  useEffect(() => next.current?.focus(), [])

  async function map(mapping: Mapping, thenGo = false): Promise<void> {
    setBusy(true)
    setProblem(null)
    try {
      const after = await client.templates.mapColumns({ id: subject.id, ...mapping })
      // With the last missing column the import is ready to be checked; a person looks here until they go on.
      if (!thenGo) onStep('columns')
      queries.setQueryData(api.templates.getImport.queryKey({ input: { id: subject.id } }), after)
      // What was found with the columns as they were is no place to begin the check.
      await queries.refetchQueries({ queryKey: api.templates.importProblems.key(), type: 'active' })
      if (thenGo && after.state === 'checking') onStep('check')
      else if (thenGo) setProblem(after.message)
    } catch (error) {
      setProblem(problemWords(error))
    }
    setBusy(false)
  }

  function goOn(): void {
    if (subject.state !== 'mapping') {
      onStep('check')
      return
    }
    // Going on is the person's word that the columns are right as they are shown.
    const columns = inFile.map(({ column, fieldKey, use }) => ({
      column,
      fieldKey: use === 'field' ? fieldKey : null,
      ...(use === 'field' ? {} : { use }),
    }))
    void map({ columns }, true)
  }

  return (
    <div className="rcv-columns">
      <div className="rcv-columns-head">
        <Select
          label={t('columns.template')}
          w={230}
          disabled={busy || fixed}
          allowDeselect={false}
          value={subject.templateId}
          data={(templates.data?.items ?? []).map(({ id, name, version }) => ({
            value: id,
            label: t('columns.templateIs', { name, version }),
          }))}
          onChange={(id) => {
            const chosen = templates.data?.items.find((each) => each.id === id)
            if (chosen !== undefined) void map({ templateId: chosen.id })
          }}
        />
        <Select
          label={t('columns.sheet')}
          w={260}
          disabled={busy || fixed}
          allowDeselect={false}
          value={subject.sheet}
          data={subject.sheets.map(({ name, rows, usable }) => ({
            value: name,
            label: t(usable ? 'columns.sheetIs' : 'columns.sheetOther', {
              name,
              count: rows,
              shown: countText(rows),
            }),
          }))}
          onChange={(sheet) => sheet !== null && void map({ sheet })}
        />
        <HeaderRow
          key={`${subject.sheet ?? ''}/${String(subject.headerRow)}`}
          row={subject.headerRow}
          disabled={busy || fixed}
          onRow={(headerRow) => void map({ headerRow })}
        />
        <p className="rcv-columns-message" role="status">
          {busy ? t('columns.reading') : subject.message}
        </p>
      </div>
      <div className="rcv-columns-body" tabIndex={0} role="region" aria-label={t('columns.region')}>
        {fixed && <Notice tone="warn">{t('columns.fixed')}</Notice>}
        {problem !== null && <Notice tone="bad">{problem}</Notice>}
        {subject.missingFields.length > 0 && (
          <Notice tone="bad" detail={t('columns.missingHint')}>
            {t('columns.missing', {
              count: subject.missingFields.length,
              fields: subject.missingFields.map(labelOf).join(', '),
            })}
          </Notice>
        )}
        {subject.choices.map(({ fieldKey, columns }) => (
          <Notice key={fieldKey} tone="warn">
            {t('columns.choice', {
              field: labelOf(fieldKey),
              columns: columns.join(', '),
              first: columns[0] ?? '',
            })}
          </Notice>
        ))}
        {inFile.length > 0 && (
          <table className="tb rcv-columns-table">
            <thead>
              <tr>
                <th>{t('columns.column')}</th>
                <th>{t('columns.heading')}</th>
                <th>{t('columns.examples')}</th>
                <th>{t('columns.is')}</th>
                <th>{t('columns.why')}</th>
              </tr>
            </thead>
            <tbody>
              {inFile.map((column) => (
                <ColumnRow
                  key={column.column}
                  column={column}
                  fields={fields}
                  taken={inFile}
                  disabled={busy || fixed}
                  onUse={(use) => void map({ columns: [{ column: column.column, ...use }] })}
                />
              ))}
            </tbody>
          </table>
        )}
        {withoutColumn.length > 0 && inFile.length > 0 && (
          <section aria-label={t('columns.given')} className="rcv-given">
            <h2>{t('columns.given')}</h2>
            <p className="t2 sm">{t('columns.givenHint')}</p>
            <div>
              {withoutColumn.map((field) => (
                <GivenValue
                  key={field.key}
                  field={field}
                  missing={subject.missingFields.includes(field.key)}
                  value={
                    subject.columns.find(({ column, fieldKey }) => column === '' && fieldKey === field.key)
                      ?.given ?? null
                  }
                  disabled={busy || fixed}
                  onGive={(value) => void map({ given: { [field.key]: value } })}
                />
              ))}
            </div>
          </section>
        )}
        {subject.notes.length > 0 && (
          <section aria-label={t('notes')} className="rcv-notes">
            <h2>{t('notes')}</h2>
            <ul>
              {subject.notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </section>
        )}
      </div>
      <div className="rcv-acts">
        <button
          ref={next}
          type="button"
          className="btn btn-1 btn-lg"
          disabled={busy || inFile.length === 0 || subject.missingFields.length > 0}
          onClick={goOn}
        >
          {t('columns.goOn', { count: subject.summary.rows, shown: countText(subject.summary.rows) })}
        </button>
        <p className="md t2">{t('columns.nothingSaved')}</p>
      </div>
    </div>
  )
}

function HeaderRow({
  row,
  disabled,
  onRow,
}: {
  readonly row: number | null
  readonly disabled: boolean
  readonly onRow: (row: number) => void
}) {
  const { t } = useTranslation('receive')
  const [text, setText] = useState(row === null ? '' : String(row))
  const wrong = text !== '' && !/^[1-9]\d{0,6}$/.test(text)
  const commit = () => {
    if (text !== '' && !wrong && Number(text) !== row) onRow(Number(text))
  }
  return (
    <TextInput
      label={t('columns.header')}
      w={140}
      inputMode="numeric"
      disabled={disabled}
      value={text}
      error={wrong ? t('columns.headerWrong') : undefined}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => event.key === 'Enter' && commit()}
    />
  )
}

function ColumnRow({
  column,
  fields,
  taken,
  disabled,
  onUse,
}: {
  readonly column: Column
  readonly fields: Template['fields']
  readonly taken: readonly Column[]
  readonly disabled: boolean
  readonly onUse: (use: { readonly fieldKey: string | null; readonly use?: 'extra' | 'left-out' }) => void
}) {
  const { t } = useTranslation('receive')
  const unsure = column.use === 'field' && column.confidence !== null && column.confidence < sureFrom
  const holder = (key: string) => taken.find(({ use, fieldKey }) => use === 'field' && fieldKey === key)
  return (
    <tr>
      <td className="t3">{column.column}</td>
      <td className="medium">
        {column.heading === '' ? <span className="t3">{t('columns.noHeading')}</span> : column.heading}
      </td>
      <td className="rcv-examples" title={column.examples.join('\n')}>
        {column.examples.slice(0, 3).map((example, index) => (
          <span key={index}>{example}</span>
        ))}
      </td>
      <td>
        <Select
          aria-label={t('columns.isOf', { column: column.column, heading: column.heading })}
          searchable
          allowDeselect={false}
          disabled={disabled}
          value={column.use === 'field' ? column.fieldKey : column.use === 'extra' ? asItCame : leftOut}
          data={[
            {
              group: t('columns.fields'),
              items: fields.map(({ key, label, required }) => {
                const other = holder(key)
                const mark = required ? t('columns.required') : ''
                return {
                  value: key,
                  label:
                    other === undefined || other.column === column.column
                      ? `${label}${mark}`
                      : t('columns.takenBy', { label, column: other.column }),
                }
              }),
            },
            {
              group: t('columns.otherwise'),
              items: [
                { value: asItCame, label: t('columns.extra') },
                { value: leftOut, label: t('columns.leftOut') },
              ],
            },
          ]}
          onChange={(value) => {
            if (value === asItCame) onUse({ fieldKey: null, use: 'extra' })
            else if (value === leftOut) onUse({ fieldKey: null, use: 'left-out' })
            else if (value !== null) onUse({ fieldKey: value })
          }}
        />
      </td>
      <td className="rcv-why">
        {column.use === 'field' ? (
          <Status tone={unsure ? 'warn' : 'ok'} word={unsure ? t('columns.unsure') : t('columns.sure')} />
        ) : (
          <Status tone="idle" word={t(column.use === 'extra' ? 'columns.kept' : 'columns.notUsed')} />
        )}
        <span className="t2 sm">{column.why}</span>
      </td>
    </tr>
  )
}

function GivenValue({
  field,
  missing,
  value,
  disabled,
  onGive,
}: {
  readonly field: Template['fields'][number]
  readonly missing: boolean
  readonly value: string | null
  readonly disabled: boolean
  readonly onGive: (value: string | null) => void
}) {
  const { t } = useTranslation('receive')
  const [text, setText] = useState(value ?? '')
  const label = `${field.label}${field.unit === null ? '' : ` (${field.unit})`}`
  const error = missing ? t('columns.needed') : undefined
  if (field.options.length > 0) {
    return (
      <Select
        label={label}
        error={error}
        placeholder={t('columns.noValue')}
        clearable
        searchable
        disabled={disabled}
        value={value}
        data={field.options.map((option) => ({ value: option.value, label: option.label ?? option.value }))}
        onChange={onGive}
      />
    )
  }
  const commit = () => {
    const next = text.trim() === '' ? null : text.trim()
    if (next !== value) onGive(next)
  }
  return (
    <TextInput
      label={label}
      error={error}
      placeholder={t('columns.noValue')}
      maxLength={200}
      disabled={disabled}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => event.key === 'Enter' && commit()}
    />
  )
}
