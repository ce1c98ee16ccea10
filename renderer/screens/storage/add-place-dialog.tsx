import { Modal, NumberInput, Select, TextInput } from '@mantine/core'
import { type SyntheticEvent, useRef, useState } from 'react'
import { useTranslation } from 'react-i18next'
import {
  type NodeId as NodeIdSchema,
  type StorageNode,
  ZoneName,
} from '../../../services/storage/contract.ts'
import type { z } from 'zod'
import { client } from '../../client.ts'
import { DialogFoot } from '../../components/dialog-foot.tsx'
import { Meter } from '../../components/meter.tsx'
import { Segmented } from '../../components/segmented.tsx'
import { countText } from '../../moments.ts'
import { goTo } from '../../navigation.ts'
import { problemWords } from '../../problem.ts'
import { scanEngine } from '../../scan/scanning.ts'
import {
  type BoxSize,
  countFurnishing,
  type Furnishing,
  kindsInside,
  mostPlaces,
  type PlaceKind,
  type PlannedPlace,
  planFurnishing,
} from './furnishing.ts'

type NodeId = z.infer<typeof NodeIdSchema>

const sizes = {
  '9x9': { rows: 9, columns: 9 },
  '10x10': { rows: 10, columns: 10 },
  '8x12': { rows: 8, columns: 12 },
  '16x24': { rows: 16, columns: 24 },
  '4x6': { rows: 4, columns: 6 },
} as const
type SizeName = keyof typeof sizes | 'other'

interface AddPlaceDialogProps {
  readonly parent: StorageNode | null
  /** What is in the parent already, for a name that is free. */
  readonly siblings: readonly StorageNode[]
  readonly onClose: () => void
}

/** Adds a freezer, shelf, rack or box, with all that is inside it: an empty laboratory is furnished in a minute. */
export function AddPlaceDialog({ parent, siblings, onClose }: AddPlaceDialogProps) {
  const { t } = useTranslation(['storage', 'common'])
  const kinds = kindsInside[parent?.kind ?? 'top']
  const [furnishing, setFurnishing] = useState<Furnishing>(() =>
    firstFurnishing(kinds[0] ?? 'box', siblings, parent),
  )
  const [sizeName, setSizeName] = useState<SizeName>('9x9')
  const [code, setCode] = useState('')
  const maker = useMaker(parent?.id ?? null, onClose)
  const { places, positions } = countFurnishing(furnishing)
  const { kind } = furnishing
  const makesBoxes = kind === 'box' || positions > 0
  const isTooMany = places > mostPlaces
  const change = (part: Partial<Furnishing>) => setFurnishing((now) => ({ ...now, ...part }))
  const changeSize = (part: Partial<BoxSize>) =>
    setFurnishing((now) => ({ ...now, size: { ...now.size, ...part } }))

  function chooseKind(next: PlaceKind): void {
    setFurnishing((now) => ({ ...firstFurnishing(next, siblings, parent), size: now.size }))
  }

  function chooseSize(name: string | null): void {
    if (name === 'other') setSizeName('other')
    else if (isSizeName(name)) {
      setSizeName(name)
      changeSize(sizes[name])
    }
  }

  function submit(event: SyntheticEvent): void {
    event.preventDefault()
    void maker.make(planFurnishing({ ...furnishing, name: furnishing.name.trim() }), code.trim())
  }

  return (
    <Modal
      opened
      onClose={maker.busy ? () => undefined : onClose}
      title={parent === null ? t('add.titleTop') : t('add.titleIn', { name: parent.name })}
      centered
      size="lg"
      closeButtonProps={{ 'aria-label': t('common:close') }}
    >
      <form className="dialog-form" onSubmit={submit}>
        <fieldset className="storage-fields dialog-form" disabled={maker.busy || maker.done > 0}>
          <legend className="vh">{t('add.what')}</legend>
          {kinds.length > 1 && (
            <Segmented
              label={t('add.what')}
              value={kind}
              onChange={chooseKind}
              options={kinds.map((each) => ({ value: each, label: t(`kind.${each}`) }))}
            />
          )}
          <div className="pair">
            <TextInput
              label={t('add.name')}
              value={furnishing.name}
              onChange={(event) => change({ name: event.currentTarget.value })}
              maxLength={120}
              required
              data-autofocus
            />
            {kind === 'freezer' || kind === 'room' ? (
              <Select
                label={t('add.zone')}
                description={kind === 'room' ? t('add.zoneRoom') : undefined}
                value={furnishing.zone}
                onChange={(zone) => change({ zone: ZoneName.nullable().parse(zone) })}
                data={ZoneName.options.map((zone) => ({ value: zone, label: t(`common:zone.${zone}`) }))}
                clearable={kind === 'room'}
                checkIconPosition="right"
              />
            ) : (
              <CountInput
                label={t('add.count', { kinds: t(`kinds.${kind}`) })}
                value={furnishing.count}
                minimum={1}
                onChange={(count) => change({ count })}
              />
            )}
          </div>
          {(kind === 'freezer' || kind === 'shelf' || kind === 'rack') && (
            <div className="storage-triple">
              {kind === 'freezer' && (
                <CountInput
                  label={t('add.shelves')}
                  value={furnishing.shelves}
                  onChange={(shelves) => change({ shelves })}
                />
              )}
              {kind !== 'rack' && (
                <CountInput
                  label={t(kind === 'shelf' || furnishing.shelves > 0 ? 'add.racksEach' : 'add.racks')}
                  value={furnishing.racks}
                  onChange={(racks) => change({ racks })}
                />
              )}
              <CountInput
                label={t(furnishing.racks > 0 || kind === 'rack' ? 'add.boxesEach' : 'add.boxes')}
                value={furnishing.boxes}
                onChange={(boxes) => change({ boxes })}
              />
            </div>
          )}
          {makesBoxes && (
            <>
              <div className="pair">
                <Select
                  label={t('add.size')}
                  value={sizeName}
                  onChange={chooseSize}
                  allowDeselect={false}
                  checkIconPosition="right"
                  data={[
                    ...Object.entries(sizes).map(([value, size]) => ({ value, label: t('size', size) })),
                    { value: 'other', label: t('add.otherSize') },
                  ]}
                />
                <Select
                  label={t('add.order')}
                  value={furnishing.size.order}
                  onChange={(order) => changeSize({ order: order === 'column-major' ? order : 'row-major' })}
                  allowDeselect={false}
                  checkIconPosition="right"
                  data={[
                    { value: 'row-major', label: t('add.rowMajor') },
                    { value: 'column-major', label: t('add.columnMajor') },
                  ]}
                />
              </div>
              {sizeName === 'other' && (
                <div className="pair">
                  <CountInput
                    label={t('add.rows')}
                    value={furnishing.size.rows}
                    minimum={1}
                    maximum={45}
                    onChange={(rows) => changeSize({ rows })}
                  />
                  <CountInput
                    label={t('add.columns')}
                    value={furnishing.size.columns}
                    minimum={1}
                    maximum={64}
                    onChange={(columns) => changeSize({ columns })}
                  />
                </div>
              )}
            </>
          )}
          {places === 1 && kind !== 'room' && (
            <TextInput
              label={t('add.code')}
              description={t('add.codeHint')}
              value={code}
              onChange={(event) => setCode(event.currentTarget.value)}
              maxLength={200}
            />
          )}
        </fieldset>
        <p className={`sm ${isTooMany ? 'bad-t' : 't2'}`} role="status">
          {isTooMany
            ? t('add.tooMany', { count: mostPlaces })
            : makesBoxes
              ? t('add.makesPositions', { count: places, positions: countText(positions) })
              : t('add.makes', { count: places })}
        </p>
        {(maker.busy || maker.done > 0) && places > 1 && (
          <div role="status">
            <Meter value={(maker.done / maker.total) * 100} tone="now" />
            <p className="sm t2">{t('add.progress', { done: maker.done, total: maker.total })}</p>
          </div>
        )}
        <DialogFoot
          problem={maker.problem}
          problemDetail={maker.done > 0 ? t('add.kept', { count: maker.done }) : undefined}
          actLabel={maker.done > 0 ? t('add.goOn') : t('add.submit', { count: places })}
          disabled={maker.busy || isTooMany || furnishing.name.trim() === ''}
          closeLabel={maker.busy ? t('add.stop') : maker.done > 0 ? t('common:close') : t('common:cancel')}
          onClose={maker.busy ? maker.stop : onClose}
        />
      </form>
    </Modal>
  )
}

interface CountInputProps {
  readonly label: string
  readonly value: number
  readonly minimum?: number
  readonly maximum?: number
  readonly onChange: (value: number) => void
}

function CountInput({ label, value, minimum = 0, maximum = 99, onChange }: CountInputProps) {
  return (
    <NumberInput
      label={label}
      value={value}
      min={minimum}
      max={maximum}
      allowDecimal={false}
      allowNegative={false}
      clampBehavior="strict"
      onChange={(next) => onChange(Math.max(minimum, typeof next === 'number' ? next : minimum))}
    />
  )
}

/** Makes the places of a plan one after the other. What was made stays when it is stopped or refused. */
function useMaker(parentId: NodeId | null, onDone: () => void) {
  const { t } = useTranslation('storage')
  const [state, setState] = useState({ busy: false, done: 0, total: 0, problem: null as string | null })
  const made = useRef<StorageNode[]>([])
  const stopping = useRef(new AbortController())

  async function make(plan: readonly PlannedPlace[], code: string): Promise<void> {
    const { signal } = (stopping.current = new AbortController())
    setState({ busy: true, done: made.current.length, total: plan.length, problem: null })
    try {
      for (const { kind, name, inside, zone, size } of plan.slice(made.current.length)) {
        if (signal.aborted) {
          setState((now) => ({ ...now, busy: false, problem: t('add.stopped') }))
          return
        }
        const node = await client.storage.createNode({
          kind,
          name,
          parentId: inside === null ? parentId : (made.current[inside]?.id ?? parentId),
          zone,
          ...(size === null ? {} : size),
          ...(code === '' ? {} : { code }),
        })
        made.current.push(node)
        setState((now) => ({ ...now, done: made.current.length }))
      }
    } catch (error) {
      setState((now) => ({ ...now, busy: false, problem: problemWords(error) }))
      return
    }
    finish()
  }

  function finish(): void {
    const [first] = made.current
    onDone()
    if (first === undefined) return
    const box = made.current.find(({ kind }) => kind === 'box')
    scanEngine.announce({
      tone: 'ok',
      sentence: t('add.done', { name: first.name, count: made.current.length }),
    })
    if (box === undefined) goTo({ to: '/storage', search: { node: first.id } })
    else goTo({ to: '/storage/$boxId', params: { boxId: box.id } })
  }

  return { ...state, make, stop: () => stopping.current.abort() }
}

const names: Readonly<Record<PlaceKind, string>> = {
  room: 'Room 1',
  freezer: 'F1',
  shelf: 'Shelf 1',
  rack: 'Rack A',
  box: 'Box 1',
}

/** A first proposal whose name nothing here has: the next number, or for racks the next letter. */
function firstFurnishing(
  kind: PlaceKind,
  siblings: readonly StorageNode[],
  parent: StorageNode | null,
): Furnishing {
  const taken = new Set(siblings.map(({ name }) => name.toLowerCase()))
  let name = names[kind]
  for (let number = 2; taken.has(name.toLowerCase()) && number < 1_000; number += 1) {
    name =
      kind === 'rack' && number <= 26
        ? `Rack ${String.fromCharCode(64 + number)}`
        : `${names[kind].replace(/[\dA]+$/, '')}${String(number)}`
  }
  return {
    kind,
    name,
    count: 1,
    zone: kind === 'freezer' && parent?.zone == null ? 'minus_80' : null,
    shelves: kind === 'freezer' ? 4 : 0,
    racks: kind === 'freezer' || kind === 'shelf' ? 2 : 0,
    boxes: kind === 'box' || kind === 'room' ? 0 : 5,
    size: { rows: 9, columns: 9, order: 'row-major' },
  }
}

function isSizeName(name: string | null): name is keyof typeof sizes {
  return name !== null && name in sizes
}
