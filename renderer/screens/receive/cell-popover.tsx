import { TextInput } from '@mantine/core'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Finding, FindingGroup, ImportRow } from '../../../services/templates/contract.ts'
import { Icon } from '../../components/icon.tsx'

export interface CellActs {
  readonly use: (proposal: Finding['proposals'][number]) => void
  readonly useForAll: (group: FindingGroup, way: string) => void
  readonly accept: (finding: Finding, reason: string | null) => void
  readonly leave: () => void
  readonly leaveOut: (out: boolean) => void
  /** Null where the cell is no code. */
  readonly scanTube: (() => void) | null
}

interface CellPopoverProps {
  readonly row: ImportRow
  readonly findings: ImportRow['findings']
  /** The groups of these findings, by cause. */
  readonly groups: ReadonlyMap<string, FindingGroup>
  readonly acts: CellActs
}

/** What is wrong with the active cell, and every way to put it right. */
export function CellPopover({ row, findings, groups, acts }: CellPopoverProps) {
  const { t } = useTranslation('receive')
  const [reasonFor, setReasonFor] = useState<string | null>(null)
  const [reason, setReason] = useState('')
  const [first] = findings
  if (first === undefined) {
    return (
      <div role="dialog" aria-label={t('pop.row', { row: row.row })}>
        <p className="h idle">
          <Icon name="minus" size={16} />
          {t('pop.leftOut', { row: row.row })}
        </p>
        <div className="acts">
          <button type="button" className="btn btn-sm" onClick={() => acts.leaveOut(false)}>
            {t('pop.takeIn')}
          </button>
        </div>
      </div>
    )
  }
  const needsReason = findings.find(({ rule }) => rule === reasonFor)
  const label = t('pop.label', { row: row.row, heading: first.heading })
  return (
    <div role="dialog" aria-label={label}>
      {findings.map((finding, index) => {
        const group = groups.get(finding.cause)
        const all = group !== undefined && group.rows.length > 1 ? group : null
        const [best] = finding.proposals
        const shared = all?.proposals.find(({ way }) => way === best?.way)
        return (
          <section key={`${finding.rule}/${finding.cause}`}>
            <p className={`h ${finding.severity}`}>
              <Icon name={finding.severity === 'error' ? 'bad' : 'warn'} size={16} />
              {finding.title}
            </p>
            <p>{finding.message}</p>
            <div className="acts">
              {finding.proposals.slice(0, 3).map((proposal, at) => (
                <button
                  key={proposal.way}
                  type="button"
                  className={`btn btn-sm${index === 0 && at === 0 ? ' btn-1' : ''}`}
                  onClick={() => acts.use(proposal)}
                >
                  {proposal.value === '' ? proposal.label : t('pop.use', { value: proposal.label })}
                  {index === 0 && at === 0 && <kbd>Enter</kbd>}
                </button>
              ))}
              {all !== null && shared !== undefined && best !== undefined && (
                <button type="button" className="btn btn-sm" onClick={() => acts.useForAll(all, best.way)}>
                  {t('pop.all', { count: all.rows.length })}
                </button>
              )}
              {finding.acceptable === 'yes' && (
                <button type="button" className="btn btn-sm" onClick={() => acts.accept(finding, null)}>
                  {t('pop.isRight')}
                </button>
              )}
              {finding.acceptable === 'with-reason' && (
                <button type="button" className="btn btn-sm" onClick={() => setReasonFor(finding.rule)}>
                  {t('pop.override')}
                </button>
              )}
              {index === 0 && acts.scanTube !== null && (
                <button type="button" className="btn btn-sm" onClick={acts.scanTube}>
                  {t('pop.scanTube')}
                </button>
              )}
            </div>
          </section>
        )
      })}
      {needsReason !== undefined && (
        <form
          className="why"
          onSubmit={(event) => {
            event.preventDefault()
            if (reason.trim() !== '') acts.accept(needsReason, reason.trim())
          }}
        >
          <TextInput
            aria-label={t('pop.reason')}
            placeholder={t('pop.reason')}
            value={reason}
            maxLength={1_000}
            autoFocus
            onChange={(event) => setReason(event.currentTarget.value)}
          />
          <button type="submit" className="btn" disabled={reason.trim() === ''}>
            {t('pop.override')}
          </button>
        </form>
      )}
      <div className="acts last">
        <button type="button" className="link-q" onClick={acts.leave}>
          {t('pop.leave')}
        </button>
        <button type="button" className="link-q" onClick={() => acts.leaveOut(true)}>
          {t('pop.leaveOut', { row: row.row })}
        </button>
      </div>
    </div>
  )
}
