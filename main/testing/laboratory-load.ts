import type { ContractRouterClient } from '@orpc/contract'
import { barcodes, type Code } from '../../services/barcodes/contract.ts'
import type { Received } from '../../services/samples/contract.ts'
import { samples } from '../../services/samples/contract.ts'
import type { Container } from '../../services/storage/contract.ts'
import { storage } from '../../services/storage/contract.ts'
import type { z } from 'zod'
import { sync } from '../../platform/sync/contract.ts'
import type { HttpCall } from './http-client.ts'
import { type Command, insist, type Ledger } from './ledger.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { SignedIn } from './workstation-process.ts'

/** The domains that a technician works with, as one signed-in person reaches them. */
export interface Bench {
  readonly samples: ContractRouterClient<typeof samples, HttpCall>
  readonly storage: ContractRouterClient<typeof storage, HttpCall>
  readonly barcodes: ContractRouterClient<typeof barcodes, HttpCall>
  readonly sync: ContractRouterClient<typeof sync, HttpCall>
}

export function benchOf(person: SignedIn): Bench {
  return {
    samples: person.client(samples),
    storage: person.client(storage),
    barcodes: person.client(barcodes),
    sync: person.client(sync),
  }
}

/** A tube as the person who works with it believes it to be. */
export interface Tube {
  readonly sampleId: string
  readonly containerId: string
  readonly code: string
  state: z.infer<typeof Container>['state']
  /** Where it is, or goes back to. */
  place: { readonly boxId: string; readonly position: string } | null
  volumeUl: number
  readonly notes: string[]
  /** Donors that were written into its record, one after the other. */
  readonly donors: string[]
  /** Codes of others that it was given beside its own. */
  readonly furtherCodes: string[]
  /** People of several workstations write to its record at once. */
  readonly isShared: boolean
}

/** What a laboratory's people believe, all of it told to them by the workstation. */
export interface Beliefs {
  readonly boxIds: readonly string[]
  readonly tubes: Tube[]
  /** Codes that were given out and put on nothing. */
  readonly looseCodes: string[]
}

/** Registers a freezer with some boxes. */
export async function furnish(bench: Bench, boxes: number): Promise<readonly string[]> {
  const create = (node: Parameters<Bench['storage']['createNode']>[0]) =>
    insist(() => bench.storage.createNode(node, { context: { key: `furnish-${node.name}` } }))
  const freezer = await create({ kind: 'freezer', name: 'F1', zone: 'minus_80' })
  const made: string[] = []
  for (let box = 1; box <= boxes; box += 1) {
    const { id } = await create({
      kind: 'box',
      parentId: freezer.id,
      name: `Box-${box}`,
      rows: 20,
      columns: 25,
    })
    made.push(id)
  }
  return made
}

const firstVolumeUl = 1_000

/** Receives a tube in which people of several workstations will take an interest at once. */
export async function receiveShared(bench: Bench, key: string): Promise<Tube> {
  const sample = { name: `Tube ${key}`, type: 'dna', volumeUl: String(firstVolumeUl) }
  return tubeOf(await insist(() => bench.samples.receive({ sample }, { context: { key } })), true)
}

function tubeOf({ sample, containerId, code, place }: z.infer<typeof Received>, isShared: boolean): Tube {
  return {
    ...{ sampleId: sample.id, containerId, code, place, isShared },
    state: place === null ? 'unplaced' : 'placed',
    volumeUl: firstVolumeUl,
    ...{ notes: [], donors: [], furtherCodes: [] },
  }
}

/**
 * A technician who does one thing after the other with tubes of their own; the boxes are everybody's. What people may do
 * with one tube at the same moment they also do with tubes that are shared.
 */
export class Technician {
  /** Every key of theirs begins with it. */
  readonly name: string
  readonly #random: SeededRandom
  readonly #beliefs: Beliefs
  readonly #shared: readonly Tube[]
  readonly #own: Tube[] = []
  #count = 0

  constructor(name: string, random: SeededRandom, beliefs: Beliefs, shared: readonly Tube[] = []) {
    this.name = name
    this.#random = random
    this.#beliefs = beliefs
    this.#shared = shared
  }

  /** Works until told to stop, or until an outcome is unknown: then somebody has to ask again first. */
  async work(bench: Bench, ledger: Ledger<Bench>, goesOn: () => boolean): Promise<number> {
    let done = 0
    while (goesOn()) {
      if ((await ledger.run(this.next(), bench)) === 'unknown') return done
      done += 1
    }
    return done
  }

  /** The next command, chosen by chance among those that make sense. */
  next(): Command<Bench> {
    this.#count += 1
    const key = `${this.name}-${this.#count}`
    const dice = this.#random.next()
    if (dice < 0.1) return this.#allocate(key)
    const tube = this.#own.length === 0 ? null : this.#random.pick(this.#own)
    if (tube === null || dice < 0.3) return this.#receive(key)
    const any = this.#random.pick([tube, ...this.#shared])
    if (dice < 0.4) return this.#note(key, any)
    if (dice < 0.5) return this.#take(key, any)
    if (dice < 0.6) return this.#writeDonor(key, any)
    if (dice < 0.65) return this.#link(key, tube)
    if (dice < 0.7) return this.#receiveIntoTaken(key, tube)
    return this.#carry(key, tube)
  }

  #receive(key: string): Command<Bench> {
    const placement = this.#random.next() < 0.7 ? { boxId: this.#random.pick(this.#beliefs.boxIds) } : null
    return command(
      key,
      'samples.receive',
      (bench) =>
        bench.samples.receive(
          {
            sample: { name: `Tube ${key}`, type: 'dna', volumeUl: String(firstVolumeUl) },
            ...(placement === null ? {} : { placement }),
          },
          { context: { key } },
        ),
      (received: z.infer<typeof Received>) => {
        const tube = tubeOf(received, false)
        this.#own.push(tube)
        this.#beliefs.tubes.push(tube)
      },
    )
  }

  /** Bound to be refused and taken back, unless the tube has left its place meanwhile. */
  #receiveIntoTaken(key: string, tube: Tube): Command<Bench> {
    if (tube.place === null) return this.#note(key, tube)
    const { boxId, position } = tube.place
    return command(
      key,
      'samples.receive into a taken position',
      (bench) =>
        bench.samples.receive(
          { sample: { name: `Tube ${key}`, type: 'dna' }, placement: { boxId, position } },
          { context: { key } },
        ),
      () => {
        throw new Error(`A second tube was received into ${position}, where ${tube.code} is`)
      },
    )
  }

  #note(key: string, tube: Tube): Command<Bench> {
    return command(
      key,
      'samples.addNote',
      (bench) => bench.samples.addNote({ id: tube.sampleId, note: key }, { context: { key } }),
      () => void tube.notes.push(key),
    )
  }

  #take(key: string, tube: Tube): Command<Bench> {
    return command(
      key,
      'samples.recordMovement',
      (bench) =>
        bench.samples.recordMovement(
          { id: tube.sampleId, kind: 'taken', quantity: '1', reason: 'for the load' },
          { context: { key } },
        ),
      () => (tube.volumeUl -= 1),
    )
  }

  #writeDonor(key: string, tube: Tube): Command<Bench> {
    const id = tube.sampleId
    // What its author saw, also when it is asked again.
    let revision: string | null = null
    return command(
      key,
      'samples.update',
      async (bench) => {
        revision ??= (await bench.samples.get({ id })).revision
        return bench.samples.update({ id, revision, fields: { donor: key } }, { context: { key } })
      },
      () => void tube.donors.push(key),
    )
  }

  #link(key: string, tube: Tube): Command<Bench> {
    const thing = { kind: 'container', id: tube.containerId } as const
    return command(
      key,
      'barcodes.link',
      (bench) => bench.barcodes.link({ text: `Sender ${key}`, thing }, { context: { key } }),
      ({ text }: z.infer<typeof Code>) => void tube.furtherCodes.push(text),
    )
  }

  #allocate(key: string): Command<Bench> {
    const count = this.#random.between(1, 5)
    return command(
      key,
      'barcodes.allocate',
      (bench) => bench.barcodes.allocate({ kind: 'sample', count }, { context: { key } }),
      ({ codes }: { readonly codes: readonly string[] }) => void this.#beliefs.looseCodes.push(...codes),
    )
  }

  #carry(key: string, tube: Tube): Command<Bench> {
    const { containerId } = tube
    const target = { boxId: this.#random.pick(this.#beliefs.boxIds) }
    const follow = (container: z.infer<typeof Container>) => {
      const place = container.place ?? container.reservedPlace
      tube.state = container.state
      tube.place = place === null ? null : { boxId: place.boxId, position: place.position }
    }
    const context = { context: { key } }
    switch (tube.state) {
      case 'placed':
        return this.#random.next() < 0.5
          ? command(
              key,
              'storage.move',
              (bench) => bench.storage.move({ containerId, target }, context),
              follow,
            )
          : command(
              key,
              'storage.checkOut',
              (bench) => bench.storage.checkOut({ containerId }, context),
              follow,
            )
      case 'checked_out':
        return command(
          key,
          'storage.returnToPlace',
          (bench) => bench.storage.returnToPlace({ containerId }, context),
          follow,
        )
      case 'unplaced':
        return command(
          key,
          'storage.place',
          (bench) => bench.storage.place({ containerId, target }, context),
          follow,
        )
      case 'disposed':
        throw new Error('Nobody disposes of tubes under this load')
    }
  }
}

function command<Answer>(
  key: string,
  label: string,
  send: (bench: Bench) => Promise<Answer>,
  onDone: (answer: Answer) => void,
): Command<Bench> {
  return { key, label, send, onDone: (answer) => onDone(answer as Answer) }
}
