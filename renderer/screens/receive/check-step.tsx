import { type CSSProperties, useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { FindingGroup, Import, ImportRow, Template } from '../../../services/templates/contract.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { Icon } from '../../components/icon.tsx'
import { ProblemNotice } from '../../components/problem-notice.tsx'
import { countText } from '../../moments.ts'
import { goTo } from '../../navigation.ts'
import { problemWords } from '../../problem.ts'
import { scanEngine, useScanMeaning } from '../../scan/scanning.ts'
import type { FeedItem } from '../../scan/scan-engine.ts'
import { ReceiveOneDialog } from '../bench/receive-one-dialog.tsx'
import {
  blockBetween,
  eachSpot,
  parseClipboard,
  planFillDown,
  planPaste,
  type Spot,
  toClipboard,
} from './block-edit.ts'
import { type CellActs, CellPopover } from './cell-popover.tsx'
import { CompareDialog } from './compare-dialog.tsx'
import { accept, changeCells, type Edit, fixCause, leaveOut } from './corrections.ts'
import { saveAsFile } from './files.ts'
import { gutterMarks } from './gutter.ts'
import {
  columnOf,
  countProblemRows,
  listPlaces,
  nextPlace,
  type ProblemPlace,
  rowKey,
} from './problem-places.ts'
import { problemsAsCsv } from './problems-csv.ts'
import { ProblemsPane } from './problems-pane.tsx'
import type { ImportStep } from './receive-search.ts'
import { RowsGrid } from './rows-grid.tsx'
import { scanInSheet } from './scan-in-sheet.ts'
import { cellText, findingsAt, isOpen, type SheetColumn } from './sheet-columns.ts'
import { findIndex, readAllRows, readRows, useSheetRows } from './sheet-reading.ts'

interface CheckStepProps {
  readonly subject: Import
  readonly columns: readonly SheetColumn[]
  readonly fields: Template['fields']
  /** Null while they are read. */
  readonly groups: readonly FindingGroup[] | null
  readonly onStep: (step: ImportStep) => void
}

type Dialog =
  | { readonly kind: 'compare'; readonly rows: readonly number[] }
  | { readonly kind: 'override'; readonly group: FindingGroup }
  | { readonly kind: 'receive'; readonly item: FeedItem }

/** A cell that waits for the code of its tube. */
interface Armed {
  readonly row: number
  readonly column: SheetColumn
  readonly before: string
}

const gutterSlots = 160

/** Step three: find the faulty cells, repair or leave them, save the rest. */
export function CheckStep({ subject, columns, fields, groups, onStep }: CheckStepProps) {
  const { t } = useTranslation('receive')
  const { id, summary } = subject
  const [onlyProblems, setOnlyProblems] = useState(false)
  const [sight, setSight] = useState({ first: 0, last: 30 })
  const [active, setActive] = useState<Spot>({ index: 0, column: 0 })
  const [anchor, setAnchor] = useState<Spot>({ index: 0, column: 0 })
  const [editing, setEditing] = useState(false)
  const [dismissed, setDismissed] = useState<string | null>(null)
  const [pending, setPending] = useState<ReadonlyMap<string, string>>(new Map())
  const [busy, setBusy] = useState(false)
  const [armed, setArmed] = useState<Armed | null>(null)
  const [dialog, setDialog] = useState<Dialog | null>(null)
  const grid = useRef<HTMLDivElement>(null)
  const saveButton = useRef<HTMLButtonElement>(null)
  const list = useMemo(() => ({ id, onlyProblems }), [id, onlyProblems])
  const rows = useSheetRows(list, sight)
  const total = rows.total ?? (onlyProblems ? summary.toConfirm + summary.withErrors : summary.rows)
  const places = useMemo(() => listPlaces(groups ?? [], columns), [groups, columns])
  const problemRows = countProblemRows(places)
  const firstRow = (subject.headerRow ?? 0) + 1
  const marks = useMemo(
    () =>
      onlyProblems
        ? []
        : gutterMarks(places, firstRow, Math.max(firstRow + total - 1, places.at(-1)?.row ?? 0), gutterSlots),
    [places, firstRow, total, onlyProblems],
  )
  const onSight = useCallback((first: number, last: number) => setSight({ first, last }), [])

  const here: Spot = {
    index: Math.max(0, Math.min(active.index, total - 1)),
    column: Math.min(active.column, columns.length - 1),
  }
  const selection = blockBetween(
    { index: Math.min(anchor.index, Math.max(0, total - 1)), column: Math.max(0, anchor.column) },
    { index: here.index, column: Math.max(0, here.column) },
  )
  const row = rows.rowAt(here.index)
  const column = here.column < 0 ? null : (columns[here.column] ?? null)
  const spotKey = row === undefined ? null : `${String(row.row)}/${column?.key ?? rowKey}`
  const findings =
    row === undefined || !isOpen(row) || (spotKey !== null && pending.has(spotKey))
      ? []
      : findingsAt(row, column)
  const byCause = useMemo(() => new Map(groups?.map((group) => [group.cause, group])), [groups])

  function moveTo(to: Spot, extend = false): void {
    const spot = {
      index: Math.max(0, Math.min(total - 1, to.index)),
      column: Math.max(extend ? 0 : -1, Math.min(columns.length - 1, to.column)),
    }
    setActive(spot)
    if (!extend) setAnchor(spot)
    setEditing(false)
    setDismissed(null)
  }

  async function goToRow(number: number, key: string | null): Promise<boolean> {
    let index = await findIndex(list, number)
    if (index === null && onlyProblems) {
      setOnlyProblems(false)
      index = await findIndex({ id, onlyProblems: false }, number)
    }
    if (index === null) return false
    const at = key === rowKey ? -1 : key === null ? 0 : columns.findIndex((each) => each.key === key)
    const spot = { index, column: at }
    setActive(spot)
    setAnchor(spot)
    setEditing(false)
    setDismissed(null)
    return true
  }

  async function goToProblem(direction: 1 | -1): Promise<void> {
    const from = row === undefined ? null : { row: row.row, key: column?.key ?? rowKey }
    const place = nextPlace(places, from, direction, columns)
    if (place !== null) await goToPlace(place)
  }

  async function goToPlace(place: ProblemPlace): Promise<void> {
    await goToRow(place.row, place.key)
    grid.current?.focus()
  }

  async function work(edits: readonly Edit[]): Promise<void> {
    if (edits.length === 0) return
    setPending(new Map(edits.map((edit) => [`${String(edit.row)}/${edit.column.key}`, edit.value])))
    await changeCells(id, edits)
    setPending(new Map())
  }

  async function busyWith(act: () => Promise<unknown>): Promise<void> {
    setBusy(true)
    await act()
    setBusy(false)
    grid.current?.focus()
  }

  /** Edits of cells by place; rows that are saved already stay as they are. */
  async function editSpots(
    cells: readonly { readonly index: number; readonly column: number; readonly value: string }[],
  ): Promise<void> {
    const indexes = cells.map(({ index }) => index)
    const found = await readRows(list, Math.min(...indexes), Math.max(...indexes))
    await work(
      cells.flatMap(({ index, column: at, value }): Edit[] => {
        const target = found.get(index)
        const inColumn = columns[at]
        if (target === undefined || inColumn === undefined || !isOpen(target)) return []
        return [{ row: target.row, column: inColumn, before: cellText(target, inColumn), value }]
      }),
    )
  }

  async function paste(text: string): Promise<void> {
    const values = parseClipboard(text)
    if (values.length === 0 || here.column < 0) return
    const { cells, outside } = planPaste(values, selection, { rows: total, columns: columns.length })
    if (cells.length > 0) await editSpots(cells)
    if (outside > 0) scanEngine.announce({ tone: 'warn', sentence: t('edit.outside', { count: outside }) })
  }

  async function fillDown(): Promise<void> {
    const plan = planFillDown(selection)
    if (plan === null || here.column < 0) return
    const found = await readRows(list, plan.source, plan.source)
    const source = found.get(plan.source)
    if (source === undefined) return
    await editSpots(
      eachSpot(plan.into, (spot) => {
        const inColumn = columns[spot.column]
        return inColumn === undefined ? '' : cellText(source, inColumn)
      }),
    )
  }

  function copy(): string | null {
    const values: string[][] = []
    for (let index = selection.top; index <= selection.bottom; index += 1) {
      const from = rows.rowAt(index)
      if (from === undefined) return null
      values.push(columns.slice(selection.left, selection.right + 1).map((each) => cellText(from, each)))
    }
    return toClipboard(values)
  }

  function commit(value: string, step: Spot): void {
    setEditing(false)
    grid.current?.focus()
    if (row === undefined || column === null) return
    void work([{ row: row.row, column, before: cellText(row, column), value }])
    if (step.index !== 0 || step.column !== 0)
      moveTo({ index: here.index + step.index, column: here.column + step.column })
  }

  function takeProposal(value: string): void {
    if (row === undefined || column === null) return
    void work([{ row: row.row, column, before: cellText(row, column), value }])
    grid.current?.focus()
  }

  function beginEdit(on: boolean): void {
    setEditing(on && row !== undefined && isOpen(row) && column !== null)
    if (!on) grid.current?.focus()
  }

  const acts: CellActs = {
    use: (proposal) => takeProposal(proposal.value),
    useForAll: (group, way) => {
      const label = group.proposals.find((each) => each.way === way)?.label ?? group.title
      void busyWith(() => fixCause(id, { cause: group.cause, fix: { way }, label, rows: group.rows }, column))
    },
    accept: (finding, reason) =>
      void busyWith(() =>
        accept(
          id,
          {
            confirmations: [
              {
                row: finding.row,
                fieldKey: finding.fieldKey,
                rule: finding.rule,
                ...(reason === null ? {} : { reason }),
              },
            ],
          },
          t('edit.accepted', { row: finding.row, heading: finding.heading }),
        ),
      ),
    leave: () => {
      setDismissed(spotKey)
      void goToProblem(1)
    },
    leaveOut: (out) =>
      void busyWith(() => (row === undefined ? Promise.resolve() : leaveOut(id, [row.row], out))),
    scanTube:
      column?.look === 'code' && row !== undefined
        ? () => {
            setArmed({ row: row.row, column, before: cellText(row, column) })
            setDismissed(spotKey)
            grid.current?.focus()
          }
        : null,
  }

  function onAcceptKey(): boolean {
    const [proposal] = findings[0]?.proposals ?? []
    if (proposal === undefined || dismissed === spotKey) return false
    takeProposal(proposal.value)
    return true
  }

  const shown = useRef(false)
  useEffect(() => {
    shown.current = true
    return () => {
      shown.current = false
    }
  }, [])

  useScanMeaning({
    sentence: armed === null ? t('scan.sentence') : t('scan.armed', { row: armed.row }),
    elseSentence: armed === null ? t('scan.else') : t('scan.armedElse'),
    handle: async (scan, resolved) => {
      if (armed !== null) {
        setArmed(null)
        await work([
          { row: armed.row, column: armed.column, before: armed.before, value: resolved.meaning.readable },
        ])
        return { tone: 'ok', sentence: t('scan.taken', { code: resolved.meaning.readable, row: armed.row }) }
      }
      return scanInSheet(id, scan, resolved, {
        goTo: (number) => goToRow(number, null),
        // The button stays in the scan line when this screen is left; then it leads to where the act is offered.
        showBoth: (numbers) => {
          if (shown.current) setDialog({ kind: 'compare', rows: numbers })
          else goTo({ to: '/receive', search: { import: id, step: 'check' } })
        },
        receive: (item) => {
          if (shown.current) setDialog({ kind: 'receive', item })
          else goTo({ to: '/bench' })
        },
      })
    },
  })

  useKeys({
    F8: (event) => void goToProblem(event.shiftKey ? -1 : 1),
    save: () => onStep('preview'),
    Escape: armed === null ? null : () => setArmed(null),
  })

  // On arrival the first problem is the next action; where there is none, saving is.
  const arrived = useRef(false)
  useEffect(() => {
    if (arrived.current || groups === null || columns.length === 0) return
    arrived.current = true
    const [first] = places
    if (first === undefined) saveButton.current?.focus()
    else void goToPlace(first)
  })

  async function exportProblems(): Promise<void> {
    try {
      const all = await readAllRows({ id, onlyProblems: true })
      saveAsFile(
        problemsAsCsv(subject.fileName, all),
        t('exportName', { file: subject.fileName.replace(/\.[^.]+$/, '') }),
      )
    } catch (error) {
      scanEngine.announce({ tone: 'bad', sentence: t('exportFailed'), detail: problemWords(error) })
    }
  }

  const showsPopover =
    !editing &&
    !busy &&
    spotKey !== dismissed &&
    row !== undefined &&
    (findings.length > 0 || (row.state === 'skipped' && column === null))
  const open = summary.toConfirm + summary.withErrors
  return (
    <div className="rcv-check">
      <Summary subject={subject} />
      <section className="rcv-rows" aria-label={t('grid.label')}>
        <div className="rcv-tools">
          <button
            type="button"
            role="switch"
            aria-checked={onlyProblems}
            className="rcv-switch"
            onClick={() => {
              setOnlyProblems(!onlyProblems)
              moveTo({ index: 0, column: here.column })
            }}
          >
            <i />
            {t('grid.onlyProblems')}
          </button>
          <span className="vr" />
          <span className="t3 sm">
            {rangeWords(rows.rowAt(sight.first), rows.rowAt(Math.min(sight.last, total - 1)), total, t)}
          </span>
          {busy && (
            <span className="st now" role="status">
              <Icon name="half" size={14} />
              {t('grid.busy')}
            </span>
          )}
          <span className="rcv-keys t3 sm">
            <kbd>F8</kbd> {t('grid.next')} <kbd>Ctrl V</kbd> {t('grid.paste')} <kbd>Ctrl D</kbd>{' '}
            {t('grid.fill')}
          </span>
        </div>
        {rows.error !== null ? (
          <ProblemNotice what={t('grid.label')} error={rows.error} />
        ) : total === 0 ? (
          <EmptyState
            icon={onlyProblems ? 'ok' : 'file'}
            title={t(onlyProblems ? 'grid.noProblems' : 'grid.noRows')}
            hint={t(onlyProblems ? 'grid.noProblemsHint' : 'grid.noRowsHint')}
          />
        ) : (
          <RowsGrid
            label={t('grid.label')}
            columns={columns}
            total={total}
            rowAt={rows.rowAt}
            active={here}
            selection={selection}
            editing={editing}
            pending={pending}
            marks={marks}
            grid={grid}
            sight={sight}
            onSight={onSight}
            onMove={moveTo}
            onEdit={beginEdit}
            onCommit={commit}
            onClear={() => void editSpots(eachSpot(selection, () => ''))}
            onPaste={(text) => void paste(text)}
            onCopy={copy}
            onFillDown={() => void fillDown()}
            onAccept={onAcceptKey}
            onEscape={() => {
              if (armed !== null) setArmed(null)
              else setDismissed(spotKey)
            }}
            popover={
              showsPopover ? (
                <CellPopover key={spotKey} row={row} findings={findings} groups={byCause} acts={acts} />
              ) : null
            }
          />
        )}
      </section>
      <ProblemsPane
        groups={groups ?? []}
        problemRows={problemRows}
        notes={subject.notes}
        current={findings[0]?.cause ?? null}
        busy={busy}
        onShow={(group) => {
          const [first] = group.rows
          if (first !== undefined)
            void goToPlace({ row: first, key: columnOf(group, columns), severity: 'error' })
        }}
        fields={fields}
        onFix={(group, fix, label) => {
          const key = columnOf(group, columns)
          const inColumn = columns.find((each) => each.key === key) ?? null
          void busyWith(() => fixCause(id, { cause: group.cause, fix, label, rows: group.rows }, inColumn))
        }}
        onAccept={(group) => {
          if (group.acceptable === 'with-reason') setDialog({ kind: 'override', group })
          else
            void busyWith(() =>
              accept(id, { causes: [{ cause: group.cause }] }, t('edit.acceptedAll', { title: group.title })),
            )
        }}
        onCompare={(group) => setDialog({ kind: 'compare', rows: group.rows })}
      />
      <div className="rcv-acts">
        <button
          ref={saveButton}
          type="button"
          className="btn btn-1 btn-lg"
          disabled={summary.good === 0}
          onClick={() => onStep('preview')}
        >
          {t('check.save', { count: summary.good, shown: countText(summary.good) })} <kbd>Ctrl S</kbd>
        </button>
        <p className="md t2 ell">
          {open === 0 ? '' : `${t('check.stay', { count: open })} `}
          {summary.saved === 0 ? t('check.nothingSaved') : t('check.savedSoFar', { count: summary.saved })}
        </p>
        <span className="end">
          <button type="button" className="btn" onClick={() => onStep('columns')}>
            {t('check.back')}
          </button>
          <button type="button" className="btn" disabled={open === 0} onClick={() => void exportProblems()}>
            {t('check.export')}
          </button>
        </span>
      </div>
      {dialog?.kind === 'compare' && (
        <CompareDialog
          id={id}
          rows={dialog.rows}
          columns={columns}
          onGo={(number) => {
            setDialog(null)
            void goToRow(number, null)
          }}
          onLeaveOut={(number) => {
            setDialog(null)
            void busyWith(() => leaveOut(id, [number], true))
          }}
          onClose={() => setDialog(null)}
        />
      )}
      {dialog?.kind === 'override' && (
        <ConfirmDialog
          title={dialog.group.title}
          words={t('problems.overrideWords', { detail: dialog.group.detail })}
          confirmLabel={t('problems.override')}
          withReason
          onConfirm={async (reason) => {
            const words = t('edit.acceptedAll', { title: dialog.group.title })
            await accept(id, { causes: [{ cause: dialog.group.cause, reason }] }, words)
          }}
          onClose={() => setDialog(null)}
        />
      )}
      {dialog?.kind === 'receive' && <ReceiveOneDialog item={dialog.item} onClose={() => setDialog(null)} />}
    </div>
  )
}

/** How many rows are good, and how many are not, in figures and as a bar. */
function Summary({ subject: { summary } }: { readonly subject: Import }) {
  const { t } = useTranslation('receive')
  const parts = [
    { key: 'saved', count: summary.saved, tone: 'idle', icon: 'check' },
    { key: 'good', count: summary.good, tone: 'ok', icon: 'ok' },
    { key: 'toConfirm', count: summary.toConfirm, tone: 'warn', icon: 'warn' },
    { key: 'withErrors', count: summary.withErrors, tone: 'bad', icon: 'bad' },
    { key: 'skipped', count: summary.skipped, tone: 'idle', icon: 'minus' },
  ] as const
  const shown = parts.filter(({ key, count }) => count > 0 || !['saved', 'skipped'].includes(key))
  return (
    <section className="rcv-sum" aria-label={t('sum.label')}>
      {shown.map(({ key, count, tone, icon }) => (
        <p key={key} className={`fig ${tone}`}>
          <Icon name={icon} />
          <b>{countText(count)}</b>
          {t(`sum.${key}`)}
        </p>
      ))}
      <p className="sm t3 rest">
        {t('sum.checked', { count: summary.rows, shown: countText(summary.rows) })}
        {summary.leadingZerosKept > 0 && ` ${t('sum.zeros', { count: summary.leadingZerosKept })}`}
      </p>
      <div className="rcv-stack" aria-hidden="true">
        {shown
          .filter(({ count }) => count > 0)
          .map(({ key, count, tone }) => (
            <span key={key} className={tone} style={{ '--share': count } as CSSProperties} />
          ))}
      </div>
    </section>
  )
}

function rangeWords(
  first: ImportRow | undefined,
  last: ImportRow | undefined,
  total: number,
  t: ReturnType<typeof useTranslation<'receive'>>['t'],
): string {
  if (first === undefined || last === undefined) return t('reading')
  return t('grid.range', { first: first.row, last: last.row, count: total, shown: countText(total) })
}

/** F8, Ctrl S and Escape, wherever on the screen the focus is. */
function useKeys(keys: {
  readonly F8: (event: KeyboardEvent) => void
  readonly save: () => void
  readonly Escape: (() => void) | null
}): void {
  useEffect(() => {
    function onKeyDown(event: KeyboardEvent): void {
      if (
        event.defaultPrevented ||
        event.isComposing ||
        document.querySelector('[aria-modal="true"]') !== null
      )
        return
      if (event.key === 'F8') keys.F8(event)
      else if (event.key.toLowerCase() === 's' && (event.ctrlKey || event.metaKey) && !event.altKey)
        keys.save()
      else if (event.key === 'Escape' && keys.Escape !== null) keys.Escape()
      else return
      event.preventDefault()
    }
    window.addEventListener('keydown', onKeyDown)
    return () => window.removeEventListener('keydown', onKeyDown)
  })
}
