import { Modal, Select, Textarea, TextInput } from '@mantine/core'
import { type SyntheticEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { NodeId, type StorageNode, ZoneName } from '../../../services/storage/contract.ts'
import { client } from '../../client.ts'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { problemCode, problemWords } from '../../problem.ts'
import { scanEngine } from '../../scan/scanning.ts'
import { useMay } from '../../session/session-store.ts'
import { kindsInside } from './furnishing.ts'
import { placesAbove } from './place-tree.ts'

interface EditPlaceDialogProps {
  readonly node: StorageNode
  readonly nodes: readonly StorageNode[]
  readonly onClose: () => void
}

const atTop = 'top'
const asAbove = 'above'

/** Renames a place, moves it with all that is in it, or gives it another zone. */
export function EditPlaceDialog({ node, nodes, onClose }: EditPlaceDialogProps) {
  const { t } = useTranslation(['storage', 'common'])
  const mayOverride = useMay('storage:override')
  const above = nodes.find(({ id }) => id === node.parentId)
  const inherits = above !== undefined && above.zone === node.zone
  const [name, setName] = useState(node.name)
  const [parentId, setParentId] = useState<string>(node.parentId ?? atTop)
  const [zone, setZone] = useState<string>(inherits || node.zone === null ? asAbove : node.zone)
  const [reason, setReason] = useState('')
  const [problem, setProblem] = useState<{ readonly words: string; readonly isZone: boolean } | null>(null)
  const [busy, setBusy] = useState(false)
  const parents = nodes.filter(
    (each) =>
      kindsInside[each.kind].includes(node.kind) &&
      each.id !== node.id &&
      placesAbove(nodes, each.id).every(({ id }) => id !== node.id),
  )
  const firstZone = inherits || node.zone === null ? asAbove : node.zone

  async function submit(event: SyntheticEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setProblem(null)
    try {
      const after = await client.storage.updateNode({
        id: node.id,
        revision: node.revision,
        ...(name.trim() === node.name ? {} : { name: name.trim() }),
        ...(parentId === (node.parentId ?? atTop)
          ? {}
          : { parentId: parentId === atTop ? null : NodeId.parse(parentId) }),
        ...(zone === firstZone ? {} : { zone: zone === asAbove ? null : ZoneName.parse(zone) }),
        ...(reason.trim() === '' ? {} : { zoneOverride: { reason: reason.trim() } }),
      })
      scanEngine.announce({ tone: 'ok', sentence: t('edit.done', { name: after.name }) })
      onClose()
    } catch (error) {
      setProblem({ words: problemWords(error), isZone: problemCode(error) === 'ZONE_NOT_ALLOWED' })
      setBusy(false)
    }
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={t('edit.title', { name: node.name })}
      centered
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <form className="dialog-form" onSubmit={(event) => void submit(event)}>
        <TextInput
          label={t('add.name')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={120}
          required
          data-autofocus
        />
        <Select
          label={t('edit.inside')}
          value={parentId}
          onChange={(next) => setParentId(next ?? parentId)}
          allowDeselect={false}
          searchable
          checkIconPosition="right"
          data={[
            ...(kindsInside.top.includes(node.kind) ? [{ value: atTop, label: t('edit.atTop') }] : []),
            ...parents.map(({ id, name: word }) => ({
              value: id,
              label: [...placesAbove(nodes, id).map((each) => each.name), word].join(' › '),
            })),
          ]}
        />
        <Select
          label={t('add.zone')}
          value={zone}
          onChange={(next) => setZone(next ?? zone)}
          allowDeselect={false}
          checkIconPosition="right"
          data={[
            { value: asAbove, label: node.parentId === null ? t('noZone') : t('edit.asAbove') },
            ...ZoneName.options.map((each) => ({ value: each, label: t(`common:zone.${each}`) })),
          ]}
        />
        {mayOverride && (problem?.isZone === true || reason !== '') && (
          <Textarea
            label={t('override.reason')}
            description={t('common:reasonHint')}
            value={reason}
            onChange={(event) => setReason(event.currentTarget.value)}
            maxLength={1_000}
            autosize
            minRows={2}
          />
        )}
        <DialogFoot
          problem={problem?.words ?? null}
          actLabel={t('common:save')}
          disabled={busy || name.trim() === ''}
          onClose={onClose}
        />
      </form>
    </Modal>
  )
}
