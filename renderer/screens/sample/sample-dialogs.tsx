import { Modal, Textarea, TextInput } from '@mantine/core'
import { type SyntheticEvent, type ReactNode, useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { Sample, SampleState } from '../../../services/samples/contract.ts'
import type { Container } from '../../../services/storage/contract.ts'
import { client } from '../../client.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { problemWords } from '../../problem.ts'
import { scanEngine } from '../../scan/scanning.ts'

export type SampleDialogKind =
  'note' | 'amount' | 'aliquot' | 'edit' | 'dispose' | 'delete' | Exclude<SampleState, 'deleted'>

interface DialogProps {
  readonly sample: Sample
  readonly container: Container | null
  readonly onClose: () => void
  readonly onDone: () => void
}

/** What can be done to a sample that needs words or numbers from a person. */
export function SampleDialog({ kind, ...props }: DialogProps & { readonly kind: SampleDialogKind }) {
  switch (kind) {
    case 'note':
      return <NoteDialog {...props} />
    case 'amount':
      return <AmountDialog {...props} />
    case 'aliquot':
      return <AliquotDialog {...props} />
    case 'edit':
      return <EditDialog {...props} />
    case 'dispose':
      return <DisposeDialog {...props} />
    case 'delete':
      return <DeleteDialog {...props} />
    default:
      return <StateDialog to={kind} {...props} />
  }
}

function NoteDialog({ sample, onClose, onDone }: DialogProps) {
  const { t } = useTranslation('sample')
  const [note, setNote] = useState('')
  return (
    <FormDialog
      title={t('note')}
      ready={note.trim() !== ''}
      onClose={onClose}
      onSubmit={async () => {
        await client.samples.addNote({ id: sample.id, note: note.trim() })
        onDone()
      }}
    >
      <Textarea
        label={t('noteWords')}
        value={note}
        maxLength={4_000}
        autosize
        minRows={3}
        data-autofocus
        onChange={(event) => setNote(event.currentTarget.value)}
      />
    </FormDialog>
  )
}

const movements = ['taken', 'added', 'corrected'] as const

function AmountDialog({ sample, onClose, onDone }: DialogProps) {
  const { t } = useTranslation('sample')
  const { t: common } = useTranslation('common')
  const [kind, setKind] = useState<(typeof movements)[number]>('taken')
  const [quantity, setQuantity] = useState('')
  const [reason, setReason] = useState('')
  return (
    <FormDialog
      title={t('amountTitle', { code: sample.code ?? sample.name })}
      ready={quantity.trim() !== '' && reason.trim() !== ''}
      onClose={onClose}
      onSubmit={async () => {
        // A comma is what many keyboards have; the record holds a point.
        const value = quantity.trim().replace(',', '.')
        await client.samples.recordMovement({ id: sample.id, kind, quantity: value, reason: reason.trim() })
        onDone()
        scanEngine.announce({ tone: 'ok', sentence: t(`movement.${kind}`, { quantity: value }) })
      }}
    >
      <div>
        <Segmented
          label={t('movementKind')}
          value={kind}
          onChange={setKind}
          options={movements.map((value) => ({ value, label: t(`movementKinds.${value}`) }))}
        />
      </div>
      <TextInput
        label={kind === 'corrected' ? t('volumeIs') : t('volumeBy')}
        description={sample.volumeUl === null ? '' : t('volumeNow', { volume: sample.volumeUl })}
        value={quantity}
        inputMode="decimal"
        data-autofocus
        rightSection="µL"
        onChange={(event) => setQuantity(event.currentTarget.value)}
      />
      <TextInput
        label={common('reason')}
        value={reason}
        maxLength={1_000}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
    </FormDialog>
  )
}

function AliquotDialog({ sample, onClose, onDone }: DialogProps) {
  const { t } = useTranslation('sample')
  const [count, setCount] = useState('2')
  const [volume, setVolume] = useState('')
  const tubes = Number.parseInt(count, 10)
  const ready = Number.isInteger(tubes) && tubes >= 1 && tubes <= 96 && volume.trim() !== ''
  return (
    <FormDialog
      title={t('aliquotTitle', { code: sample.code ?? sample.name })}
      ready={ready}
      onClose={onClose}
      onSubmit={async () => {
        const each = volume.trim().replace(',', '.')
        const made = await client.samples.makeAliquots({
          id: sample.id,
          volumesUl: Array.from({ length: tubes }, () => each),
        })
        onDone()
        scanEngine.announce({ tone: 'ok', sentence: t('aliquotsMade', { count: made.length, volume: each }) })
      }}
    >
      <TextInput
        label={t('aliquotCount')}
        value={count}
        inputMode="numeric"
        data-autofocus
        onChange={(event) => setCount(event.currentTarget.value)}
      />
      <TextInput
        label={t('aliquotVolume')}
        description={sample.volumeUl === null ? '' : t('volumeNow', { volume: sample.volumeUl })}
        value={volume}
        inputMode="decimal"
        rightSection="µL"
        onChange={(event) => setVolume(event.currentTarget.value)}
      />
    </FormDialog>
  )
}

function EditDialog({ sample, onClose, onDone }: DialogProps) {
  const { t } = useTranslation('sample')
  const [fields, setFields] = useState({
    name: sample.name,
    clientId: sample.clientId ?? '',
    donor: sample.donor ?? '',
    project: sample.project ?? '',
    concentrationNgPerUl: sample.concentrationNgPerUl ?? '',
  })
  const orNull = (text: string) => (text.trim() === '' ? null : text.trim())
  return (
    <FormDialog
      title={t('editTitle', { code: sample.code ?? sample.name })}
      ready={fields.name.trim() !== ''}
      onClose={onClose}
      onSubmit={async () => {
        await client.samples.update({
          id: sample.id,
          revision: sample.revision,
          fields: {
            name: fields.name.trim(),
            clientId: orNull(fields.clientId),
            donor: orNull(fields.donor),
            project: orNull(fields.project),
            concentrationNgPerUl: orNull(fields.concentrationNgPerUl.replace(',', '.')),
          },
        })
        onDone()
      }}
    >
      {(['name', 'clientId', 'donor', 'project', 'concentrationNgPerUl'] as const).map((key) => (
        <TextInput
          key={key}
          label={t(`fields.${key}`)}
          value={fields[key]}
          maxLength={200}
          onChange={(event) => setFields({ ...fields, [key]: event.currentTarget.value })}
        />
      ))}
    </FormDialog>
  )
}

function DisposeDialog({ container, onClose, onDone }: DialogProps) {
  const { t } = useTranslation('sample')
  if (container === null) return null
  return (
    <ConfirmDialog
      title={t('disposeTitle', { code: container.label })}
      words={t('disposeWords')}
      confirmLabel={t('dispose')}
      withReason
      onClose={onClose}
      onConfirm={async (reason) => {
        await client.storage.dispose({ containerId: container.id, reason })
        onDone()
      }}
    />
  )
}

function DeleteDialog({ sample, onClose, onDone }: DialogProps) {
  const { t } = useTranslation('sample')
  return (
    <ConfirmDialog
      title={t('deleteTitle', { code: sample.code ?? sample.name })}
      words={t('deleteWords')}
      confirmLabel={t('delete')}
      withReason
      onClose={onClose}
      onConfirm={async (reason) => {
        await client.samples.remove({ id: sample.id, reason })
        onDone()
      }}
    />
  )
}

function StateDialog({
  sample,
  to,
  onClose,
  onDone,
}: DialogProps & { readonly to: Exclude<SampleState, 'deleted'> }) {
  const { t } = useTranslation('sample')
  const { t: common } = useTranslation('common')
  const state = common(`sampleState.${to}`)
  return (
    <ConfirmDialog
      title={t('stateTitle', { state })}
      words={t('stateWords', { from: common(`sampleState.${sample.state}`), to: state })}
      confirmLabel={state}
      withReason
      onClose={onClose}
      onConfirm={async (reason) => {
        await client.samples.changeState({ id: sample.id, to, reason })
        onDone()
      }}
    />
  )
}

/** A small form in a dialog. It stays open with the words when it is refused; nothing typed is lost. */
function FormDialog({
  title,
  ready,
  onClose,
  onSubmit,
  children,
}: {
  readonly title: string
  readonly ready: boolean
  readonly onClose: () => void
  readonly onSubmit: () => Promise<void>
  readonly children: ReactNode
}) {
  const { t } = useTranslation('common')
  const [problem, setProblem] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setProblem(null)
    try {
      await onSubmit()
      onClose()
    } catch (error) {
      setProblem(problemWords(error))
      setBusy(false)
    }
  }

  return (
    <Modal opened onClose={onClose} title={title} centered closeButtonProps={{ 'aria-label': t('close') }}>
      <form className="dialog-form" onSubmit={(event) => void submit(event)}>
        {children}
        <DialogFoot problem={problem} actLabel={t('save')} disabled={busy || !ready} onClose={onClose} />
      </form>
    </Modal>
  )
}
