import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { IconName } from '../../components/drawings.tsx'
import { Icon } from '../../components/icon.tsx'
import { CodeText, Sentence } from '../../components/sentence.tsx'
import { UndoRing } from '../../components/undo-ring.tsx'
import { clockTime } from '../../moments.ts'
import type { FeedItem } from '../../scan/scan-engine.ts'
import { scanEngine, useScanState } from '../../scan/scanning.ts'
import { useMay } from '../../session/session-store.ts'
import { LinkDialog } from './link-dialog.tsx'
import { ReceiveOneDialog } from './receive-one-dialog.tsx'

const icons: Readonly<Record<FeedItem['tone'], IconName>> = {
  ok: 'ok',
  warn: 'ask',
  bad: 'bad',
  idle: 'minus',
}

/** Recent scans and acts, newest first, with undo while it runs; unknown codes are decided in place. */
export function ScanFeed() {
  const { t } = useTranslation('bench')
  const { feed } = useScanState()
  const [deciding, setDeciding] = useState<{
    readonly item: FeedItem
    readonly how: 'receive' | 'link'
  } | null>(null)
  return (
    <section className="feed column rule-t" aria-labelledby="h-feed">
      <div className="pane-h">
        <h2 id="h-feed">{t('scans')}</h2>
        <span className="cnt">{t('scansCount', { count: feed.length })}</span>
      </div>
      {feed.length === 0 ? (
        <p className="quiet-line">{t('noScans')}</p>
      ) : (
        <ol className="scroll" tabIndex={0} aria-labelledby="h-feed">
          {feed.map((item) => (
            <FeedRow key={item.id} item={item} onDecide={(how) => setDeciding({ item, how })} />
          ))}
        </ol>
      )}
      {deciding?.how === 'link' && <LinkDialog item={deciding.item} onClose={() => setDeciding(null)} />}
      {deciding?.how === 'receive' && (
        <ReceiveOneDialog item={deciding.item} onClose={() => setDeciding(null)} />
      )}
    </section>
  )
}

interface FeedRowProps {
  readonly item: FeedItem
  readonly onDecide: (how: 'receive' | 'link') => void
}

function FeedRow({ item, onDecide }: FeedRowProps) {
  const { t } = useTranslation('scan')
  const mayReceive = useMay('samples:create')
  const mayLink = useMay('barcodes:link')
  return (
    <li className={`${item.tone}${item.undo === null ? '' : ' fresh'}`}>
      <time dateTime={new Date(item.at).toISOString()}>{clockTime(item.at)}</time>
      <Icon name={icons[item.tone]} />
      <div>
        <p>
          {/* The code has a line of its own here. */}
          <Sentence text={item.unknown ? t('unknown') : item.sentence} />
        </p>
        {item.detail !== null && !item.unknown && (
          <p>
            <Sentence text={item.detail} />
          </p>
        )}
        {item.code !== null && !item.sentence.includes(item.code) && (
          <p className="ell">
            <CodeText>{item.code}</CodeText>
          </p>
        )}
        {item.unknown && item.code !== null && (
          <p className="ell">
            <CodeText>{item.code}</CodeText>
          </p>
        )}
      </div>
      {item.undo === null ? (
        <span />
      ) : (
        <UndoRing
          className="btn btn-sm undo"
          until={item.undo.until}
          onUndo={() => void scanEngine.undo(item.id)}
        />
      )}
      {item.unknown && (
        <div className="acts">
          {mayReceive && (
            <button className="btn btn-sm" type="button" onClick={() => onDecide('receive')}>
              {t('receiveIt')}
            </button>
          )}
          {mayLink && (
            <button className="btn btn-sm" type="button" onClick={() => onDecide('link')}>
              {t('link')}
            </button>
          )}
          <button
            className="btn btn-sm"
            type="button"
            onClick={() => void scanEngine.decide(item.id, 'dismissed', t('ignored'))}
          >
            {t('ignore')}
          </button>
        </div>
      )}
    </li>
  )
}
