import { Menu, Modal, Select, Textarea, TextInput } from '@mantine/core'
import { type SyntheticEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Sample } from '../../../services/samples/contract.ts'
import { client } from '../../client.ts'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { Icon } from '../../components/icon.tsx'
import { Notice } from '../../components/notice.tsx'
import { useMay } from '../../session/session-store.ts'
import { packSamples } from '../shipments/pack-by-scan.ts'
import { offeredStates, type OfferedState } from '../sample/offered-states.ts'
import { problemWords } from '../../problem.ts'

interface BulkBarProps {
  readonly samples: readonly Sample[]
  readonly onDone: () => void
  readonly onClear: () => void
}

interface RowProblem {
  readonly name: string
  readonly words: string
}

const priorities = ['low', 'normal', 'high', 'urgent', 'stat'] as const

/** What can be done to all chosen samples at once; each keeps its own result. */
export function BulkBar({ samples, onDone, onClear }: BulkBarProps) {
  const { t } = useTranslation('samples')
  const { t: common } = useTranslation('common')
  const mayShip = useMay('shipments:send')
  const [dialog, setDialog] = useState<'edit' | OfferedState | null>(null)
  return (
    <div className="bulk" role="toolbar" aria-label={t('bulk.label')}>
      <b>{t('bulk.chosen', { count: samples.length })}</b>
      <Menu position="bottom-start">
        <Menu.Target>
          <button type="button" className="btn btn-sm">
            {t('bulk.state')}
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          {offeredStates(samples).map((state) => (
            <Menu.Item key={state} onClick={() => setDialog(state)}>
              {common(`sampleState.${state}`)}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <button type="button" className="btn btn-sm" onClick={() => setDialog('edit')}>
        <Icon name="pen" size={14} />
        {t('bulk.edit')}
      </button>
      {mayShip && (
        <button type="button" className="btn btn-sm" onClick={() => packSamples(samples)}>
          <Icon name="truck" size={14} />
          {t('bulk.ship')}
        </button>
      )}
      <button type="button" className="link-q" onClick={onClear}>
        {t('bulk.clear')}
      </button>
      {dialog !== null && (
        <BulkDialog
          samples={samples}
          to={dialog === 'edit' ? null : dialog}
          onClose={() => setDialog(null)}
          onDone={onDone}
        />
      )}
    </div>
  )
}

function BulkDialog({
  samples,
  to,
  onClose,
  onDone,
}: {
  readonly samples: readonly Sample[]
  readonly to: OfferedState | null
  readonly onClose: () => void
  readonly onDone: () => void
}) {
  const { t } = useTranslation('samples')
  const { t: common } = useTranslation('common')
  const [reason, setReason] = useState('')
  const [project, setProject] = useState('')
  const [priority, setPriority] = useState<string | null>(null)
  const [problems, setProblems] = useState<readonly RowProblem[] | null>(null)
  const [failure, setFailure] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setFailure(null)
    try {
      const why = reason.trim() === '' ? {} : { reason: reason.trim() }
      const results =
        to === null
          ? await client.samples.updateBatch({
              ...why,
              rows: samples.map(({ id, revision }) => ({
                id,
                revision,
                fields: {
                  ...(project.trim() === '' ? {} : { project: project.trim() }),
                  ...(priority === null ? {} : { priority: priority as (typeof priorities)[number] }),
                },
              })),
            })
          : await client.samples.changeStateBatch({ ...why, ids: samples.map(({ id }) => id), to })
      const refused = results.flatMap((result) =>
        result.ok
          ? []
          : [{ name: samples[result.row]?.name ?? String(result.row), words: result.error.message }],
      )
      if (refused.length === 0) {
        onClose()
        onDone()
      } else {
        setProblems(refused)
      }
    } catch (error) {
      setFailure(problemWords(error))
    }
    setBusy(false)
  }

  const title =
    to === null
      ? t('bulk.editTitle', { count: samples.length })
      : t('bulk.stateTitle', { count: samples.length, state: common(`sampleState.${to}`) })
  if (problems !== null) {
    const close = () => {
      onClose()
      onDone()
    }
    return (
      <Modal
        opened
        onClose={close}
        title={title}
        centered
        closeButtonProps={{ 'aria-label': common('close') }}
      >
        <Notice tone="warn" boxed>
          {t('bulk.partly', { done: samples.length - problems.length, refused: problems.length })}
        </Notice>
        <ul className="bulk-problems">
          {problems.map(({ name, words }) => (
            <li key={name}>
              <b>{name}</b> {words}
            </li>
          ))}
        </ul>
      </Modal>
    )
  }
  return (
    <Modal
      opened
      onClose={onClose}
      title={title}
      centered
      closeButtonProps={{ 'aria-label': common('close') }}
    >
      <form className="dialog-form" onSubmit={(event) => void submit(event)}>
        {to === null && (
          <>
            <p className="t2">{t('bulk.editHint')}</p>
            <TextInput
              label={t('project')}
              value={project}
              maxLength={200}
              onChange={(event) => setProject(event.currentTarget.value)}
              data-autofocus
            />
            <Select
              label={t('priority')}
              clearable
              value={priority}
              onChange={setPriority}
              data={priorities.map((value) => ({ value, label: t(`priorities.${value}`) }))}
            />
          </>
        )}
        <Textarea
          label={common('reason')}
          description={common('reasonHint')}
          value={reason}
          maxLength={1_000}
          autosize
          minRows={2}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <DialogFoot
          problem={failure}
          actLabel={common('save')}
          disabled={busy || (to === null && project.trim() === '' && priority === null)}
          onClose={onClose}
        />
      </form>
    </Modal>
  )
}
