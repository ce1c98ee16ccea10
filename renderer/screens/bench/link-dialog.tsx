import { Modal, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Sample } from '../../../services/samples/contract.ts'
import { api, client } from '../../client.ts'
import { Notice } from '../../components/notice.tsx'
import { Sentence } from '../../components/sentence.tsx'
import { SampleStatus } from '../../components/status.tsx'
import { problemCode, problemWords } from '../../problem.ts'
import type { FeedItem } from '../../scan/scan-engine.ts'
import { scanEngine } from '../../scan/scanning.ts'

/** Says which sample an unknown code belongs to. */
export function LinkDialog({ item, onClose }: { readonly item: FeedItem; readonly onClose: () => void }) {
  const { t } = useTranslation(['scan', 'common'])
  const [text, setText] = useState('')
  const [search] = useDebouncedValue(text.trim(), 150)
  const [problem, setProblem] = useState<string | null>(null)
  const found = useQuery(
    api.samples.list.queryOptions({ input: { search, limit: 8 }, enabled: search.length >= 2 }),
  )
  const code = item.code ?? ''

  async function link(sample: Sample): Promise<void> {
    setProblem(null)
    const request = { text: item.text ?? code, thing: { kind: 'sample' as const, id: sample.id } }
    try {
      await client.barcodes.link(request).catch((error: unknown) => {
        // The person looked at the tube and chose its sample: that is the confirmation asked for.
        if (problemCode(error) !== 'INDEX_SEQUENCE') throw error
        return client.barcodes.link({ ...request, confirmed: true })
      })
      await scanEngine.decide(item.id, 'acted', t('linked', { code, sample: sample.name }))
      onClose()
    } catch (error) {
      setProblem(problemWords(error))
    }
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={<Sentence text={t('linkTitle', { code })} />}
      centered
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <div className="dialog-form">
        <TextInput
          label={t('linkSearch')}
          value={text}
          onChange={(event) => setText(event.target.value)}
          data-autofocus
        />
        {problem !== null && (
          <Notice tone="bad" boxed>
            {problem}
          </Notice>
        )}
        {found.data?.items.length === 0 && <p className="t2 md">{t('linkNone')}</p>}
        <ul className="choices">
          {found.data?.items.map((sample) => (
            <li key={sample.id}>
              <button type="button" onClick={() => void link(sample)}>
                <span className="medium">{sample.name}</span>
                <SampleStatus state={sample.state} />
                <span className="sm t3">
                  {[sample.code, sample.project, sample.donor, sample.location]
                    .filter((word) => word !== null)
                    .join(' · ')}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </Modal>
  )
}
