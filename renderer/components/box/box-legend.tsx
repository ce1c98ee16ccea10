import { useTranslation } from 'react-i18next'
import { Icon } from '../icon.tsx'
import type { BoxContents, BoxLooks } from './box-colours.ts'
import { isKept, PositionMark } from './box-map.tsx'

interface BoxLegendProps {
  readonly map: BoxContents
  readonly looks: BoxLooks
  readonly freshCount?: number
}

/** What the colours and marks of a box mean, with counts. */
export function BoxLegend({ map, looks, freshCount = 0 }: BoxLegendProps) {
  const { t } = useTranslation()
  const { capacity } = map.box
  const kept = map.positions.filter(isKept).length
  return (
    <dl className="box-legend">
      {looks.legend.map(({ key, word, letter, colour, count }) => (
        <div key={key}>
          <dt>
            <PositionMark state="occupied" look={{ letter, colour }} />
            {word}
          </dt>
          <dd>{count}</dd>
        </div>
      ))}
      <div>
        <dt>
          <PositionMark state="reserved" look={null} />
          {t('box.reserved')}
        </dt>
        <dd>{capacity.reserved - kept}</dd>
      </div>
      {kept > 0 && (
        <div>
          <dt>
            <PositionMark state="kept" look={null} />
            {t('box.inHand')}
          </dt>
          <dd>{kept}</dd>
        </div>
      )}
      <div>
        <dt>
          <PositionMark state="available" look={null} />
          {t('box.available')}
        </dt>
        <dd>{capacity.available}</dd>
      </div>
      {capacity.outOfUse > 0 && (
        <div>
          <dt>
            <PositionMark state="out_of_use" look={null} />
            {t('box.out_of_use')}
          </dt>
          <dd>{capacity.outOfUse}</dd>
        </div>
      )}
      {freshCount > 0 && (
        <div>
          <dt>
            <span className="ok-t">
              <Icon name="ok" size={16} />
            </span>
            {t('box.new')}
          </dt>
          <dd>{freshCount}</dd>
        </div>
      )}
    </dl>
  )
}
