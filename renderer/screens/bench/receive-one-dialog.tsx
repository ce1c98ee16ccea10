import { Modal, Select, TextInput } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api, client } from '../../client.ts'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { Sentence } from '../../components/sentence.tsx'
import { problemCode, problemWords } from '../../problem.ts'
import type { FeedItem } from '../../scan/scan-engine.ts'
import { scanEngine } from '../../scan/scanning.ts'

/** Receives one scanned tube whose code is not known yet. */
export function ReceiveOneDialog({
  item,
  onClose,
}: {
  readonly item: FeedItem
  readonly onClose: () => void
}) {
  const { t } = useTranslation(['scan', 'samples', 'common'])
  const types = useQuery(api.samples.types.queryOptions({}))
  const code = item.code ?? ''
  const [name, setName] = useState(code)
  const [type, setType] = useState<string | null>(null)
  const [project, setProject] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const [confirming, setConfirming] = useState(false)
  const [busy, setBusy] = useState(false)

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault()
    if (type === null || name.trim() === '') return
    setBusy(true)
    setProblem(null)
    try {
      const received = await client.samples.receive({
        sample: { name: name.trim(), type, project: project.trim() === '' ? null : project.trim() },
        code: item.text ?? code,
        codeConfirmed: confirming,
      })
      await scanEngine.decide(item.id, 'acted', t('received', { sample: received.sample.name }))
      onClose()
    } catch (error) {
      // Shown once, with its words; the next press is the confirmation.
      if (problemCode(error) === 'INDEX_SEQUENCE') setConfirming(true)
      setProblem(problemWords(error))
      setBusy(false)
    }
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={<Sentence text={`${t('receiveIt')}: \`${code}\``} />}
      centered
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <form className="dialog-form" onSubmit={(event) => void submit(event)}>
        <TextInput
          label={t('samples:name')}
          value={name}
          maxLength={200}
          onChange={(event) => setName(event.target.value)}
        />
        <Select
          label={t('samples:type')}
          data={(types.data ?? []).map(({ key, name: word }) => ({ value: key, label: word }))}
          value={type}
          onChange={setType}
          searchable
          data-autofocus
        />
        <TextInput
          label={t('samples:project')}
          value={project}
          maxLength={200}
          onChange={(event) => setProject(event.target.value)}
        />
        <DialogFoot
          problem={problem}
          problemTone={confirming ? 'warn' : 'bad'}
          actLabel={t('receiveIt')}
          disabled={busy || type === null || name.trim() === ''}
          onClose={onClose}
        />
      </form>
    </Modal>
  )
}
