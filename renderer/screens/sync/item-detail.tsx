import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { WorkItemView } from '../../../platform/sync/contract.ts'
import { client } from '../../client.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { Icon } from '../../components/icon.tsx'
import { Notice } from '../../components/notice.tsx'
import { Status } from '../../components/status.tsx'
import { useSyncStatus } from '../../frame/sync-state.tsx'
import { wholeMoment } from '../../moments.ts'
import { scanEngine } from '../../scan/scanning.ts'
import { useMay } from '../../session/session-store.ts'
import { entryWords } from '../audit/entry-words.ts'
import { usePeopleNames } from '../audit/people-names.ts'
import { columnWords, tableWords, valueWords } from './field-words.ts'
import {
  aboutRow,
  choicesOf,
  compareProposals,
  type Field,
  inSeniority,
  isInTrouble,
  isShown,
  kindOf,
  type RowProposals,
  valuesOf,
} from './proposals.ts'
import { kindLooks } from './kind-looks.ts'
import { type Thing, type ThingOf, useThings } from './things.ts'

interface ItemDetailProps {
  readonly item: WorkItemView
  /** Among them what a parked one waits for. */
  readonly others: readonly WorkItemView[]
  readonly onOpen: (id: string) => void
  readonly onDecided: (id: string) => void
}

type Choice = 'hub' | 'pushed'

/** One work item: what it is about, the two proposals side by side, and the decision. */
export function ItemDetail({ item, others, onOpen, onDecided }: ItemDetailProps) {
  const { t } = useTranslation('sync')
  const { t: audit } = useTranslation('audit')
  const nameOf = usePeopleNames()
  const thingOf = useThings(item)
  const kind = kindOf(item)
  const [tone, icon] = kindLooks[kind]
  const { pushed } = item
  return (
    <article className="item scroll" tabIndex={0} aria-label={t(`kind.${kind}`)}>
      <header>
        <h2>
          <Status tone={tone} icon={icon} word={t(`kind.${kind}`)} chip />
          <AboutItem item={item} thingOf={thingOf} />
        </h2>
        <p className="t2">{kind === 'notice' ? item.words : t(`kindHint.${kind}`)}</p>
        {kind === 'refused' && <p className="medium">{item.words}</p>}
      </header>
      {pushed !== null && (
        <dl className="kv">
          <dt>{t('what')}</dt>
          <dd>
            {entryWords({ kind: 'change', eventNames: [], reason: null, procedure: pushed.procedure }, audit)}
          </dd>
          <dt>{t('who')}</dt>
          <dd>{nameOf(pushed.actorId)}</dd>
          <dt>{t('where')}</dt>
          <dd>{pushed.workstationName ?? t('anotherWorkstation')}</dd>
          <dt>{t('made')}</dt>
          <dd>{wholeMoment(pushed.recordedAt)}</dd>
          <dt>{t('arrived')}</dt>
          <dd>{wholeMoment(item.openedAt)}</dd>
          {pushed.reason !== null && (
            <>
              <dt>{t('reasonGiven')}</dt>
              <dd>{pushed.reason}</dd>
            </>
          )}
        </dl>
      )}
      {kind === 'parked' && <WaitsFor item={item} others={others} onOpen={onOpen} />}
      {pushed === null ? (
        <Claims item={item} thingOf={thingOf} isContested={kind === 'contested'} />
      ) : (
        <AllProposals item={item} thingOf={thingOf} />
      )}
      <Decision item={item} thingOf={thingOf} onDecided={onDecided} />
    </article>
  )
}

/** What the item is about by its name, each with a link to its page. */
function AboutItem({ item, thingOf }: { readonly item: WorkItemView; readonly thingOf: ThingOf }) {
  const things = new Map<string, Thing>()
  for (const address of inSeniority(item)) {
    const [, table = '', id = ''] = address.split('/')
    const about = aboutRow(table, id, valuesOf(item, address))
    const thing = about === null ? null : thingOf(about)
    if (thing !== null) things.set(thing.name, thing)
  }
  return [...things.values()].slice(0, 3).map((thing) => <ThingLink key={thing.name} thing={thing} />)
}

function ThingLink({ thing }: { readonly thing: Thing }) {
  return thing.link === null ? (
    <span>{thing.name}</span>
  ) : (
    <Link className="link" {...thing.link}>
      {thing.name}
    </Link>
  )
}

/** The items whose decision a parked one waits for. */
function WaitsFor({ item, others, onOpen }: Omit<ItemDetailProps, 'onDecided'>) {
  const { t } = useTranslation('sync')
  const { t: audit } = useTranslation('audit')
  const before = others.filter(({ pushed }) => pushed !== null && item.behind.includes(pushed.changeSetId))
  return (
    <Notice
      tone="warn"
      boxed
      detail={before.map((each) => (
        <button key={each.id} className="link" type="button" onClick={() => onOpen(each.id)}>
          {t('waitsForOne', {
            kind: t(`kind.${kindOf(each)}`),
            what: entryWords(
              { kind: 'change', eventNames: [], reason: null, procedure: each.pushed?.procedure ?? null },
              audit,
            ),
          })}
        </button>
      ))}
    >
      {t(before.length === 0 ? 'waitsForOther' : 'waitsFor')}
    </Notice>
  )
}

/** Rows in which the two do not go together; what came with them is folded away. */
function AllProposals({ item, thingOf }: { readonly item: WorkItemView; readonly thingOf: ThingOf }) {
  const { t } = useTranslation('sync')
  const rows = compareProposals(item)
  const main = rows.filter((row) => isInTrouble(row))
  const [first, rest] = main.length === 0 ? [rows, []] : [main, rows.filter((row) => !isInTrouble(row))]
  const show = (row: RowProposals) => <Proposals key={row.address} item={item} row={row} thingOf={thingOf} />
  return (
    <>
      {first.map(show)}
      {rest.length > 0 && (
        <details className="also">
          <summary>{t('also', { count: rest.length })}</summary>
          {rest.map(show)}
        </details>
      )}
    </>
  )
}

interface ProposalsProps {
  readonly item: WorkItemView
  readonly row: RowProposals
  readonly thingOf: ThingOf
}

/** One row: what it was, what the Hub has, what was pushed. */
function Proposals({ item, row, thingOf }: ProposalsProps) {
  const { t } = useTranslation('sync')
  const about = aboutRow(row.table, row.id, valuesOf(item, row.address))
  const thing = about === null ? null : thingOf(about)
  return (
    <section className="proposals">
      <h3>
        {tableWords(row.table, t)}
        {thing !== null && (
          <>
            {' '}
            <ThingLink thing={thing} />
          </>
        )}
        {row.isNew && <span className="t3"> · {t('isNew')}</span>}
      </h3>
      {row.words.map((words) => (
        <p key={words} className="bad-t md">
          <Icon name="split" size={14} /> {words}
        </p>
      ))}
      {row.fields.length === 0 ? (
        <p className="t2 md">{t('noFields')}</p>
      ) : (
        <table className="tb">
          <thead>
            <tr>
              <th>{t('field')}</th>
              {!row.isNew && <th>{t('before')}</th>}
              <th>{t('atHub')}</th>
              <th>{t('wasPushed')}</th>
            </tr>
          </thead>
          <tbody>
            {row.fields.map((field) => (
              <FieldLine
                key={field.column}
                table={row.table}
                field={field}
                isNew={row.isNew}
                thingOf={thingOf}
              />
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

interface FieldLineProps {
  readonly table: string
  readonly field: Field
  readonly isNew: boolean
  readonly thingOf: ThingOf
}

function FieldLine({ table, field, isNew, thingOf }: FieldLineProps) {
  const { t } = useTranslation('sync')
  const { column, before, hub, pushed, conflict } = field
  const say = (value: string | null) => valueWords({ table, column, value }, thingOf, t)
  return (
    <tr className={conflict === null ? undefined : 'differs'}>
      <th scope="row">
        {columnWords(column, t)}
        {conflict !== null && (
          <span className="st bad">
            <Icon name="split" size={14} />
            {t('differs')}
          </span>
        )}
      </th>
      {!isNew && <td className="t2">{say(before)}</td>}
      <td className={hub === before ? 't2' : 'medium'}>{isNew ? t('notThere') : say(hub)}</td>
      <td className="medium">
        {say(pushed)}
        {conflict !== null && <p className="sm t2">{conflict}</p>}
      </td>
    </tr>
  )
}

interface ClaimsProps {
  readonly item: WorkItemView
  readonly thingOf: ThingOf
  readonly isContested: boolean
}

/** Rows that stand beside each other: who had it first, and who claims it too. */
function Claims({ item, thingOf, isContested }: ClaimsProps) {
  const { t } = useTranslation('sync')
  const [claimant] = item.rows
  return (
    <div className="claims">
      {inSeniority(item).map((address) => {
        const [, table = '', id = ''] = address.split('/')
        const values = item.here[address]
        const about = aboutRow(table, id, values ?? {})
        const thing = about === null ? null : thingOf(about)
        return (
          <section key={address}>
            <h3>
              {isContested && <span className="t3">{t(address === claimant ? 'claims' : 'has')} </span>}
              {thing === null || !isContested ? tableWords(table, t) : <ThingLink thing={thing} />}
            </h3>
            {values === undefined ? (
              <p className="t2 md">{t('notHere')}</p>
            ) : (
              <dl className="kv">
                {Object.entries(values)
                  .filter(([column, value]) => isShown(column) && value !== null)
                  .map(([column, value]) => (
                    <div key={column} style={{ display: 'contents' }}>
                      <dt>{columnWords(column, t)}</dt>
                      <dd>{valueWords({ table, column, value }, thingOf, t)}</dd>
                    </div>
                  ))}
              </dl>
            )}
          </section>
        )
      })}
    </div>
  )
}

interface DecisionProps {
  readonly item: WorkItemView
  readonly thingOf: ThingOf
  readonly onDecided: (id: string) => void
}

/** The buttons, or in words why there are none. */
function Decision({ item, thingOf, onDecided }: DecisionProps) {
  const { t } = useTranslation('sync')
  const mayResolve = useMay('sync:resolve')
  const status = useSyncStatus()
  const [chosen, setChosen] = useState<Choice | null>(null)
  const kind = kindOf(item)
  const isReachable = status.data?.state === 'online' || status.data?.state === 'hub'

  /** Which of two tubes gets the place is said by their codes, as far as they are known here. */
  function label(choice: Choice): string {
    const [holder, claimant, more] = inSeniority(item)
    const address = more === undefined ? (choice === 'hub' ? holder : claimant) : undefined
    const [, table = '', id = ''] = address?.split('/') ?? []
    const about = address === undefined ? null : aboutRow(table, id, valuesOf(item, address))
    const name = kind === 'contested' && about !== null ? thingOf(about)?.name : undefined
    return name === undefined ? t(`choice.${kind}.${choice}`) : t(`choiceNamed.${choice}`, { name })
  }

  if (!mayResolve) return <p className="quiet-line decide">{t('mayNotDecide')}</p>
  return (
    <footer className="decide">
      {!isReachable && status.data !== undefined && (
        <Notice tone="warn" boxed>
          {t('decideAtHub')}
        </Notice>
      )}
      <div className="acts">
        {choicesOf(item).map((choice) => (
          <button
            key={choice}
            className="btn btn-lg"
            type="button"
            disabled={!isReachable}
            onClick={() => setChosen(choice)}
          >
            <Icon name={choice === 'hub' ? 'shield' : 'upload'} size={16} />
            {label(choice)}
          </button>
        ))}
      </div>
      <p className="sm t2">{t('noUndo')}</p>
      {chosen !== null && (
        <ConfirmDialog
          title={t(`confirm.${kind}.${chosen}.title`)}
          words={`${t(`confirm.${kind}.${chosen}.words`)} ${t('confirmNoUndo')}`}
          confirmLabel={label(chosen)}
          withReason
          onConfirm={async (reason) => {
            const { domain, id: itemId } = item
            await client.sync.resolve({ domain, itemId, choice: { take: chosen }, reason })
            scanEngine.announce({ tone: 'ok', sentence: t(`decided.${chosen}`) })
            onDecided(itemId)
          }}
          onClose={() => setChosen(null)}
        />
      )}
    </footer>
  )
}
