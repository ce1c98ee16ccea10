import { useTranslation } from 'react-i18next'
import type { Shipment } from '../../../services/shipments/contract.ts'
import { client } from '../../client.ts'
import { goTo } from '../../navigation.ts'
import { problemWords } from '../../problem.ts'
import { scanEngine } from '../../scan/scanning.ts'
import { ItemStatus, type ShipmentItem } from './shipment-status.tsx'

/** The samples of a shipment. While it is received each has a tick, for tubes that no scanner reads. */
export function ShipmentItems({
  shipment,
  isIncoming,
  isReceiving,
  onTurnBack,
}: {
  readonly shipment: Shipment
  readonly isIncoming: boolean
  readonly isReceiving: boolean
  readonly onTurnBack: (item: ShipmentItem) => void
}) {
  const { t } = useTranslation('shipments')
  const { id, items } = shipment
  const waiting = items.filter(({ state }) => state === 'travelling')
  const hasRemarks = items.some((item) => remarkOf(item) !== null)
  const allFound = waiting.every(({ checkedOff }) => checkedOff)
  const tick = (some: readonly ShipmentItem[], present: boolean) =>
    void orSay(() =>
      client.shipments.checkOff({ id, sampleIds: some.map(({ sampleId }) => sampleId), present }),
    )
  return (
    <section className="pane column" aria-label={t('samples')}>
      <div className="pane-h rule-b">
        <h2>{t('samples')}</h2>
        <span className="cnt">{items.length}</span>
      </div>
      <div className="scroll" tabIndex={0} role="group" aria-label={t('samples')}>
        <table className="tb">
          <thead>
            <tr>
              {isReceiving && (
                <th className="ship-tick">
                  <input
                    type="checkbox"
                    aria-label={t('tickAll')}
                    checked={allFound}
                    onChange={() => tick(waiting, !allFound)}
                  />
                </th>
              )}
              <th>{t('code')}</th>
              <th>{t('name')}</th>
              <th>{t('stateHead')}</th>
              {hasRemarks && <th>{t('remark')}</th>}
              {isReceiving && (
                <th>
                  <span className="vh">{t('turnBack.open')}</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {items.map((item) => (
              <tr key={item.sampleId}>
                {isReceiving && (
                  <td className="ship-tick">
                    {item.state === 'travelling' && (
                      <input
                        type="checkbox"
                        aria-label={t('tick', { name: item.name })}
                        checked={item.checkedOff}
                        onChange={() => tick([item], !item.checkedOff)}
                      />
                    )}
                  </td>
                )}
                <td>
                  <Code item={item} isHere={!isIncoming || item.state === 'received'} />
                </td>
                <td>{item.name}</td>
                <td>
                  <ItemStatus item={item} />
                </td>
                {hasRemarks && <td className="t2">{remarkOf(item) ?? ''}</td>}
                {isReceiving && (
                  <td className="ship-out">
                    {item.state === 'travelling' && item.turnedBack === null && (
                      <button
                        type="button"
                        className="btn btn-sm"
                        aria-label={t('turnBack.openOne', { name: item.name })}
                        onClick={() => onTurnBack(item)}
                      >
                        {t('turnBack.open')}
                      </button>
                    )}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function remarkOf({ turnedBack, words }: ShipmentItem): string | null {
  return turnedBack ?? words
}

/** Its page has its custody; what has not been taken in yet has none here. */
function Code({ item, isHere }: { readonly item: ShipmentItem; readonly isHere: boolean }) {
  const { t } = useTranslation('shipments')
  const code = item.code ?? t('noCode')
  if (!isHere) return <span className="code">{code}</span>
  return (
    <button
      type="button"
      className="link code"
      onClick={() => goTo({ to: '/samples/$id', params: { id: item.sampleId } })}
    >
      {code}
    </button>
  )
}

/** Says what could not be done: no dialog is open that could. */
async function orSay(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    scanEngine.announce({ tone: 'bad', sentence: problemWords(error) })
  }
}
