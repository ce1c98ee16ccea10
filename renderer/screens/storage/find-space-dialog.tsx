import { Checkbox, Modal, NumberInput, Select } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { type SyntheticEvent, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { api } from '../../client.ts'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { Notice } from '../../components/notice.tsx'
import { goTo } from '../../navigation.ts'
import { problemWords } from '../../problem.ts'
import { useMay } from '../../session/session-store.ts'
import { openDialog, useSitting } from './placing-store.ts'

interface Wish {
  readonly count: number
  readonly material: string | null
  readonly together: boolean
}

/** Boxes with room for so many tubes of a type, at a temperature that is right for it. */
export function FindSpaceDialog({ onClose }: { readonly onClose: () => void }) {
  const { t } = useTranslation(['storage', 'common'])
  const { placing } = useSitting()
  const mayPlace = useMay('storage:place')
  const types = useQuery(api.samples.types.queryOptions({ staleTime: 300_000 }))
  const [wish, setWish] = useState<Wish>({
    count: Math.max(1, placing.hand.length),
    material: placing.hand[0]?.material ?? null,
    together: true,
  })
  const [asked, setAsked] = useState<Wish | null>(null)
  const found = useQuery(
    api.storage.findSpace.queryOptions({
      input: {
        count: asked?.count ?? 1,
        together: asked?.together ?? false,
        ...(asked?.material == null ? {} : { material: asked.material }),
      },
      enabled: asked !== null,
    }),
  )

  function submit(event: SyntheticEvent): void {
    event.preventDefault()
    setAsked(wish)
  }

  function show(boxId: string, position: string | undefined): void {
    onClose()
    goTo({
      to: '/storage/$boxId',
      params: { boxId },
      ...(position === undefined ? {} : { search: { position } }),
    })
  }

  return (
    <Modal
      opened
      onClose={onClose}
      title={t('space.title')}
      centered
      size="lg"
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <form className="dialog-form" onSubmit={submit}>
        <div className="pair">
          <NumberInput
            label={t('space.count')}
            value={wish.count}
            min={1}
            max={10_000}
            allowDecimal={false}
            clampBehavior="strict"
            onChange={(count) =>
              setWish({ ...wish, count: typeof count === 'number' ? Math.max(1, count) : 1 })
            }
            data-autofocus
          />
          <Select
            label={t('space.material')}
            value={wish.material}
            onChange={(material) => setWish({ ...wish, material })}
            data={(types.data ?? []).map(({ key, name }) => ({ value: key, label: name }))}
            placeholder={t('space.any')}
            clearable
            checkIconPosition="right"
          />
        </div>
        <Checkbox
          label={t('space.together')}
          checked={wish.together}
          onChange={(event) => setWish({ ...wish, together: event.currentTarget.checked })}
        />
        <DialogFoot actLabel={t('space.find')} closeLabel={t('common:close')} onClose={onClose} />
      </form>
      {asked !== null && (
        <div className="storage-space" aria-live="polite">
          {found.isError && (
            <Notice tone="bad" boxed>
              {problemWords(found.error)}
            </Notice>
          )}
          {found.isPending && <p className="sm t2">{t('space.looking')}</p>}
          {found.data?.length === 0 && (
            <Notice tone="warn" boxed detail={t(asked.together ? 'space.noneTogether' : 'space.noneHint')}>
              {t('space.none', { count: asked.count })}
            </Notice>
          )}
          <ul>
            {found.data?.slice(0, 12).map(({ box, path, positions }) => {
              const ranges =
                positions.length === 1
                  ? (positions[0] ?? '')
                  : t('space.ranges', {
                      count: positions.length,
                      first: positions[0] ?? '',
                      last: positions.at(-1) ?? '',
                    })
              return (
                <li key={box.id}>
                  <div>
                    <p className="strong ell">{box.name}</p>
                    <p className="sm t3 ell">{path.join(' › ')}</p>
                  </div>
                  <span className="sm t2">{ranges}</span>
                  {mayPlace && (
                    <button
                      className="btn btn-sm"
                      type="button"
                      onClick={() => openDialog({ kind: 'reserve', boxId: box.id, labels: positions })}
                    >
                      {t('space.reserve')}
                    </button>
                  )}
                  <button className="btn btn-sm" type="button" onClick={() => show(box.id, positions[0])}>
                    {t('common:open')}
                  </button>
                </li>
              )
            })}
          </ul>
        </div>
      )}
    </Modal>
  )
}
