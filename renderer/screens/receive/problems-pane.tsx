import { Select } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import type { FindingGroup, Template } from '../../../services/templates/contract.ts'
import { Icon } from '../../components/icon.tsx'
import { countText } from '../../moments.ts'
import type { GroupFix } from './corrections.ts'

interface ProblemsPaneProps {
  readonly groups: readonly FindingGroup[]
  readonly fields: Template['fields']
  readonly problemRows: number
  readonly notes: readonly string[]
  /** Cause of the problem that the active cell has. */
  readonly current: string | null
  readonly busy: boolean
  readonly onShow: (group: FindingGroup) => void
  readonly onFix: (group: FindingGroup, fix: GroupFix, label: string) => void
  readonly onAccept: (group: FindingGroup) => void
  readonly onCompare: (group: FindingGroup) => void
}

/** Rules about a value that stands in several rows: looking at the rows side by side helps. */
const twiceRules = /unique|twice|duplicate|same/

/** All problems by cause: what is put right in one go stands on one button. */
export function ProblemsPane(props: ProblemsPaneProps) {
  const { groups, notes, current, busy } = props
  const { t } = useTranslation('receive')
  const open = groups.filter(({ severity }) => severity !== 'note')
  const remarks = groups.filter(({ severity }) => severity === 'note')
  return (
    <section className="rcv-problems" aria-label={t('problems.title')}>
      <div className="pane-h">
        <h2>{t('problems.title')}</h2>
        <span className="cnt">
          {open.length === 0
            ? t('problems.none')
            : t('problems.count', {
                rows: t('problems.rows', { count: props.problemRows, shown: countText(props.problemRows) }),
                causes: t('problems.causes', { count: open.length }),
              })}
        </span>
      </div>
      <ul tabIndex={0} aria-label={t('problems.title')}>
        {open.map((group) => {
          const isCurrent = group.cause === current
          return (
            <li
              key={`${group.severity} ${group.cause}`}
              className={`${group.severity}${isCurrent ? ' cur' : ''}`}
            >
              <Icon name={group.severity === 'error' ? 'bad' : 'warn'} />
              <h3>
                <button type="button" title={t('problems.show')} onClick={() => props.onShow(group)}>
                  {group.title}
                </button>
              </h3>
              <span className="n">
                {t('problems.rows', { count: group.rows.length, shown: countText(group.rows.length) })}
              </span>
              <p>{group.detail}</p>
              <div className="fix">
                {group.proposals.slice(0, 3).map((proposal) => (
                  <button
                    key={proposal.way}
                    type="button"
                    className="btn btn-sm"
                    disabled={busy}
                    onClick={() => props.onFix(group, { way: proposal.way }, proposal.label)}
                  >
                    {group.rows.length === 1 && proposal.value !== ''
                      ? t('problems.set', { value: proposal.label })
                      : proposal.label}
                  </button>
                ))}
                <ChooseValue group={group} fields={props.fields} busy={busy} onFix={props.onFix} />
                {group.rows.length > 1 && twiceRules.test(group.rule) && (
                  <button type="button" className="btn btn-sm" onClick={() => props.onCompare(group)}>
                    {t('problems.compare')}
                  </button>
                )}
                {group.acceptable !== 'no' && (
                  <button
                    type="button"
                    className="btn btn-sm"
                    disabled={busy}
                    onClick={() => props.onAccept(group)}
                  >
                    {t(
                      group.acceptable === 'yes'
                        ? group.rows.length === 1
                          ? 'problems.isRight'
                          : 'problems.areRight'
                        : 'problems.override',
                      { count: group.rows.length },
                    )}
                  </button>
                )}
              </div>
            </li>
          )
        })}
        {(remarks.length > 0 || notes.length > 0) && (
          <li className="remarks">
            <Icon name="note" />
            <h3>{t('notes')}</h3>
            <span />
            {notes.map((note) => (
              <p key={note}>{note}</p>
            ))}
            {remarks.map(({ cause, title, detail }) => (
              <p key={cause}>
                <b>{title}</b> {detail}
              </p>
            ))}
          </li>
        )}
      </ul>
    </section>
  )
}

/** A word that no list has, such as a sample type: one choice puts it right in all its rows. */
function ChooseValue({
  group,
  fields,
  busy,
  onFix,
}: Pick<ProblemsPaneProps, 'fields' | 'busy' | 'onFix'> & { readonly group: FindingGroup }) {
  const { t } = useTranslation('receive')
  const options = fields.find(({ key }) => key === group.fieldKey)?.options ?? []
  if (options.length === 0 || group.severity !== 'error' || group.acceptable !== 'no') return null
  return (
    <Select
      aria-label={t('problems.chooseFor', { title: group.title })}
      placeholder={t('problems.choose', { count: group.rows.length })}
      size="xs"
      w={150}
      searchable
      disabled={busy}
      value={null}
      data={options.map((option) => ({ value: option.value, label: option.label ?? option.value }))}
      onChange={(value) => {
        const chosen = options.find((option) => option.value === value)
        if (chosen !== undefined) onFix(group, { value: chosen.value }, chosen.label ?? chosen.value)
      }}
    />
  )
}
