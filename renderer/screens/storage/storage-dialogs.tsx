import { useTranslation } from 'react-i18next'
import { NodeId, type StorageNode } from '../../../services/storage/contract.ts'
import { client } from '../../client.ts'
import type { BoxContents } from '../../components/box/box-colours.ts'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { goTo } from '../../navigation.ts'
import { scanEngine } from '../../scan/scanning.ts'
import { AddPlaceDialog } from './add-place-dialog.tsx'
import { EditPlaceDialog } from './edit-place-dialog.tsx'
import { FindSpaceDialog } from './find-space-dialog.tsx'
import { childrenByParent } from './place-tree.ts'
import { checkOut, placeInHand, rangeWords, readBox } from './placing-acts.ts'
import { closeDialog, type StorageDialog, useSitting } from './placing-store.ts'
import { RackScanDialog } from './rack-scan-dialog.tsx'
import { ReserveDialog } from './reserve-dialog.tsx'

interface StorageDialogsProps {
  readonly nodes: readonly StorageNode[]
  readonly map: BoxContents | null
}

/** Whichever dialog of the storage screen is open. */
export function StorageDialogs(props: StorageDialogsProps) {
  const { dialog } = useSitting()
  return dialog === null ? null : <OpenDialog {...props} dialog={dialog} />
}

function OpenDialog({ dialog, nodes, map }: StorageDialogsProps & { readonly dialog: StorageDialog }) {
  const { t } = useTranslation('storage')
  const wordsFor = (labels: readonly string[]) =>
    map !== null && labels.every((label) => map.positions.some((each) => each.label === label))
      ? rangeWords(map, labels)
      : labels.length > 3
        ? t('positions', { count: labels.length })
        : labels.join(', ')
  switch (dialog.kind) {
    case 'add': {
      const siblings = childrenByParent(nodes).get(dialog.parent?.id ?? null) ?? []
      return <AddPlaceDialog parent={dialog.parent} siblings={siblings} onClose={closeDialog} />
    }
    case 'edit':
      return <EditPlaceDialog node={dialog.node} nodes={nodes} onClose={closeDialog} />
    case 'remove':
      return (
        <ConfirmDialog
          title={t('remove.title', { name: dialog.node.name })}
          words={t('remove.words')}
          confirmLabel={t('remove.open')}
          withReason
          onClose={closeDialog}
          onConfirm={async (reason) => {
            const { id, name, parentId } = dialog.node
            await client.storage.removeNode({ id, reason })
            goTo({ to: '/storage', search: parentId === null ? {} : { node: parentId } })
            scanEngine.announce({ tone: 'ok', sentence: t('remove.done', { name }) })
          }}
        />
      )
    case 'find-space':
      return <FindSpaceDialog onClose={closeDialog} />
    case 'rack-scan':
      return <RackScanDialog box={dialog.box} onClose={closeDialog} />
    case 'reserve':
      return (
        <ReserveDialog
          boxId={dialog.boxId}
          labels={dialog.labels}
          words={wordsFor(dialog.labels)}
          onClose={closeDialog}
        />
      )
    case 'out-of-use':
    case 'back-in-use': {
      const outOfUse = dialog.kind === 'out-of-use'
      const ranges = wordsFor(dialog.labels)
      const box = { boxId: NodeId.parse(dialog.boxId), positions: [...dialog.labels] }
      return (
        <ConfirmDialog
          title={t(outOfUse ? 'outOfUse.title' : 'backInUse.title', { ranges })}
          words={t(outOfUse ? 'outOfUse.words' : 'backInUse.words')}
          confirmLabel={t(outOfUse ? 'outOfUse.confirm' : 'backInUse.confirm')}
          withReason
          onClose={closeDialog}
          onConfirm={async (reason) => {
            await client.storage.setOutOfUse({ ...box, outOfUse, reason })
            await readBox(dialog.boxId)
            scanEngine.announce({
              tone: 'ok',
              sentence: t(outOfUse ? 'outOfUse.done' : 'backInUse.done', { ranges }),
              undo: async () => {
                await client.storage.setOutOfUse({ ...box, outOfUse: !outOfUse, reason: t('undoReason') })
                await readBox(dialog.boxId)
              },
            })
          }}
        />
      )
    }
    case 'override':
      return (
        <ConfirmDialog
          title={t('override.title')}
          words={t('override.words', { why: dialog.words.replaceAll('`', '') })}
          confirmLabel={t('override.confirm')}
          withReason
          onClose={closeDialog}
          onConfirm={async (overrideReason) => {
            const result = await placeInHand(dialog.boxId, dialog.label, { overrideReason })
            if (result !== null) scanEngine.announce(result)
          }}
        />
      )
    case 'check-out': {
      const { container } = dialog
      return (
        <ConfirmDialog
          title={t('checkOut.title', { code: container.label })}
          words={t('checkOut.words', { position: container.place?.position ?? '' })}
          confirmLabel={t('checkOut.confirm')}
          withReason
          onClose={closeDialog}
          onConfirm={async (purpose) => scanEngine.announce(await checkOut(container, purpose))}
        />
      )
    }
    case 'dispose': {
      const { container } = dialog
      return (
        <ConfirmDialog
          title={t('dispose.title', { code: container.label })}
          words={t('dispose.words')}
          confirmLabel={t('dispose.confirm')}
          withReason
          onClose={closeDialog}
          onConfirm={async (reason) => {
            await client.storage.dispose({ containerId: container.id, reason })
            scanEngine.announce({ tone: 'ok', sentence: t('dispose.done', { code: container.label }) })
          }}
        />
      )
    }
  }
}
