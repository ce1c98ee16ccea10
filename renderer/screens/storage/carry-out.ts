import type { Container } from '../../../services/storage/contract.ts'
import { client } from '../../client.ts'
import type { BoxContents } from '../../components/box/box-colours.ts'
import { materialName } from '../../components/material-name.ts'
import { i18n } from '../../i18n.ts'
import type { ScanResult } from '../../scan/scan-engine.ts'
import { startFilling, takeInHand } from './placing.ts'
import {
  placeInHand,
  putDownAll,
  rangeWords,
  readBox,
  readContainer,
  returnToPlace,
  swap,
  takeFromMap,
  takeOut,
} from './placing-acts.ts'
import { changePlacing, openDialog, readPlacing } from './placing-store.ts'
import type { OtherAct, PositionActs, PrimaryAct } from './position-acts.ts'
import { isZoneAllowed } from './zone-rule.ts'

const t = i18n.getFixedT(null, 'storage')

/** Enter in the map; ending the filling has a key of its own, so that one Enter too many does not end it. */
export function doEnter(map: BoxContents, acts: PositionActs): Promise<ScanResult | null> {
  // With something in hand Enter always tries the framed position: a refusal says why not.
  if (readPlacing().hand.length > 0) return doPrimary('place', map)
  if (acts.primary === null || acts.primary === 'stop-filling') return Promise.resolve(null)
  return doPrimary(acts.primary, map)
}

/** Does what the primary button says. */
export async function doPrimary(primary: PrimaryAct, map: BoxContents): Promise<ScanResult | null> {
  const placing = readPlacing()
  switch (primary) {
    case 'place':
      return placing.framed === null ? null : placeInHand(map.box.id, placing.framed)
    case 'place-next':
      return map.nextFree === null ? null : placeInHand(map.box.id, map.nextFree)
    case 'override': {
      const words = zoneWords(map, placing.hand)
      openDialog({ kind: 'override', boxId: map.box.id, label: placing.framed, words })
      return null
    }
    case 'fill':
      changePlacing((now) => startFilling(now, map))
      return null
    case 'stop-filling':
      putDownAll()
      return null
    case 'take':
      return takeFromMap(map, placing.selected)
    case 'return': {
      const kept = map.positions.find(({ label }) => label === placing.framed)?.container
      return kept == null ? null : returnToPlace(await readContainer(kept.id))
    }
  }
}

/** Does what one of the other buttons says, or opens the dialog that asks first. */
export async function doOther(other: OtherAct, map: BoxContents | null): Promise<ScanResult | null> {
  const placing = readPlacing()
  if (other === 'put-down') {
    putDownAll()
    return null
  }
  if (map === null) return null
  const boxId = map.box.id
  const labels = map.positions.map(({ label }) => label).filter((label) => placing.selected.has(label))
  const framed = map.positions.find(({ label }) => label === placing.framed)
  switch (other) {
    case 'reserve':
    case 'out-of-use':
    case 'back-in-use':
      openDialog({ kind: other, boxId, labels })
      return null
    case 'give-free':
      return giveFree(map, labels)
    case 'use-reservation':
      return placing.framed === null ? null : placeInHand(boxId, placing.framed, { useReservation: true })
    case 'swap':
      return swap(map, labels)
    case 'check-out':
    case 'dispose':
    case 'take-out': {
      if (framed?.container == null) return null
      const container = await readContainer(framed.container.id)
      if (other === 'take-out') return takeOutToHand(map, container)
      openDialog({ kind: other, container })
      return null
    }
  }
}

/** What was booked by mistake is in hand again, with no place. */
async function takeOutToHand(map: BoxContents, container: Container): Promise<ScanResult> {
  const result = await takeOut(container, t('takeOutReason'))
  const [after, fresh] = await Promise.all([readContainer(container.id), readBox(map.box.id)])
  changePlacing((placing) => takeInHand(placing, [after], fresh))
  return { ...result, detail: t('done.takenOutDetail') }
}

async function giveFree(map: BoxContents, labels: readonly string[]): Promise<ScanResult> {
  const before = map.positions.filter(({ label }) => labels.includes(label))
  const box = { boxId: map.box.id, positions: [...labels] }
  await client.storage.cancelReservation(box)
  await readBox(map.box.id)
  return {
    tone: 'ok',
    sentence: t('done.givenFree', { ranges: rangeWords(map, labels) }),
    undo: async () => {
      for (const { label, reservedFor, reservedUntil } of before) {
        if (reservedFor === null || reservedUntil === null) continue
        const again = { boxId: map.box.id, positions: [label], reservedFor, until: reservedUntil }
        await client.storage.reserve(again)
      }
      await readBox(map.box.id)
    },
  }
}

/** Why the zone of this box refuses what is in hand, before it was tried. */
function zoneWords(map: BoxContents, hand: readonly Container[]): string {
  const { zone } = map.box
  const material = hand.find((tube) => !isZoneAllowed(tube.material, zone))?.material ?? null
  if (zone === null || material === null) return ''
  return t('check.zoneWrong', { material: materialName(material), zone: i18n.t(`common:zone.${zone}`) })
}
