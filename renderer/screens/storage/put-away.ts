import { type Container, ContainerId, NodeId } from '../../../services/storage/contract.ts'
import { client } from '../../client.ts'

export interface Destination {
  readonly boxId: string
  /** Without one the box chooses its next free position. */
  readonly label: string | null
  /** The position was reserved for this very tube. */
  readonly useReservation?: boolean
  /** Why the zone rule is overridden. */
  readonly overrideReason?: string
}

/** The words in which an undo stands in the record. */
export interface UndoWords {
  readonly reason: string
  /** May the person override a zone rule? Then a tube also goes back to where a rule was overridden before. */
  readonly mayOverride: boolean
}

/** Puts one tube into a position by the command that its state asks for. Throws the service's refusals. */
export function putAway(tube: Container, to: Destination): Promise<Container> {
  const input = {
    containerId: tube.id,
    target: {
      boxId: NodeId.parse(to.boxId),
      ...(to.label === null ? {} : { position: to.label }),
      useReservation: to.useReservation ?? false,
    },
    ...(to.overrideReason === undefined ? {} : { zoneOverride: { reason: to.overrideReason } }),
  }
  switch (tube.state) {
    case 'unplaced':
    case 'disposed':
      // A disposed tube is refused by the service, in its words.
      return client.storage.place(input)
    case 'placed':
      return client.storage.move(input)
    case 'checked_out':
      return client.storage.returnToPlace(input)
  }
}

/** Moves several placed tubes at once, swaps included; whole or not at all. Those that stay are left out. */
export async function moveAll(
  moves: readonly { readonly tube: Container; readonly boxId: string; readonly label: string }[],
  overrideReason?: string,
): Promise<readonly Container[]> {
  const real = moves.filter(({ tube, boxId, label }) => {
    return tube.place === null || tube.place.boxId !== boxId || tube.place.position !== label
  })
  if (real.length === 0) return []
  return client.storage.moveMany({
    moves: real.map(({ tube, boxId, label }) => ({
      containerId: tube.id,
      target: { boxId: NodeId.parse(boxId), position: label },
    })),
    ...(overrideReason === undefined ? {} : { zoneOverride: { reason: overrideReason } }),
  })
}

/** Brings tubes back to where they were before they were put away: in place, in hand, or nowhere. */
export async function putBack(before: readonly Container[], words: UndoWords): Promise<void> {
  const override = words.mayOverride ? { zoneOverride: { reason: words.reason } } : {}
  const moved = before.flatMap(({ id, place, state }) =>
    state === 'placed' && place !== null
      ? [{ containerId: id, target: { boxId: place.boxId, position: place.position } }]
      : [],
  )
  if (moved.length > 0) await client.storage.moveMany({ moves: moved, ...override })
  for (const tube of before) {
    if (tube.state === 'unplaced') {
      await client.storage.takeOut({ containerId: tube.id, reason: words.reason })
    } else if (tube.state === 'checked_out') {
      await takeInHandAgain(tube, words, override)
    }
  }
}

/** A tube that was returned goes back into its person's hand, and the place it had is kept for it again. */
async function takeInHandAgain(
  tube: Container,
  words: UndoWords,
  override: { readonly zoneOverride?: { readonly reason: string } },
): Promise<void> {
  const now = await client.storage.getContainer({ id: ContainerId.parse(tube.id) })
  const kept = tube.reservedPlace
  const isElsewhere =
    kept !== null && (now.place?.boxId !== kept.boxId || now.place.position !== kept.position)
  if (isElsewhere) {
    const target = { boxId: kept.boxId, position: kept.position }
    await client.storage.move({ containerId: tube.id, target, ...override })
  }
  await client.storage.checkOut({ containerId: tube.id, purpose: words.reason })
}
