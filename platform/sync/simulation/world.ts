import type { ChangeSet } from '../change-set.ts'
import type { Choice } from '../resolve.ts'
import { isHeld, type WorkItem } from '../work-item.ts'
import { Chance } from './chance.ts'
import { type Desk, type Draft, makeChangeSet } from './draft.ts'
import type { Message } from './messages.ts'
import {
  administer,
  doSomeWork,
  firstDay,
  forgeRole,
  foundLaboratory,
  laboratoryRules,
  react,
} from './model-laboratory.ts'
import type { RowStore } from './row-store.ts'
import { SimulatedHub, type Steps } from './simulated-hub.ts'
import { type DueReaction, SimulatedWorkstation } from './simulated-workstation.ts'

export const stepKinds = [
  'work',
  'react',
  'push',
  'pull',
  'deliver',
  'lose',
  'double',
  'part',
  'join',
  'stop',
  'stop-hub',
  'sequence',
  'hub-work',
  'administer',
  'resolve',
  'skew',
] as const
export type StepKind = (typeof stepKinds)[number]

/** One thing that happens. `chance` decides everything about it that is left open. */
export interface Step {
  readonly kind: StepKind
  /** Which workstation, where it is about one. */
  readonly who: number
  readonly chance: number
  /** The machine stops after so many steps of the protocol; null: it does not. */
  readonly stopAfter: number | null
}

const laboratoryId = '00000000-0000-4000-8000-00000000000a'
const hour = 3_600_000

/** A laboratory with its workstations, its Hub and the network between, as a state machine: each step leads on. */
export class World {
  readonly hub = new SimulatedHub(laboratoryRules)
  readonly workstations: readonly SimulatedWorkstation[]
  /** Everything that reached a journal: from then on it may not be lost. */
  readonly acknowledged = new Map<string, ChangeSet>()
  readonly #people: readonly string[]
  readonly #skews: number[]
  readonly #parted = new Set<number>()
  #network: readonly Message[] = []
  #time = Date.UTC(2026, 10, 21)
  #ids = 0

  constructor(size: number) {
    this.workstations = Array.from(
      { length: size },
      (_, name) => new SimulatedWorkstation(name, laboratoryRules),
    )
    this.#skews = this.workstations.map((_, name) => ((name * 7) % 5) * hour - 5 * hour)
    this.#people = this.workstations.map((_, name) => `0000000${name}-0000-4000-8000-0000000000bb`)
    const chance = new Chance(1)
    const founder = this.#deskOfHub(chance)
    const people = [...this.#people, founder.personId]
    this.#workAtHub((desk) => foundLaboratory(desk, people), chance)
    for (const work of firstDay) this.#workAtHub(work, chance)
  }

  take(step: Step): void {
    const chance = new Chance(step.chance)
    const workstation = this.workstations[step.who % this.workstations.length]
    if (workstation === undefined) return
    this.#time += chance.below(hour)
    switch (step.kind) {
      case 'work': {
        this.#work(workstation, chance, step.stopAfter)
        return
      }
      case 'react': {
        this.#react(workstation, chance, step.stopAfter)
        return
      }
      case 'push':
        if (chance.happens(0.3)) workstation.pushAgain()
        {
          this.#send(workstation.makePush(1 + chance.below(6)))
          return
        }
      case 'pull': {
        this.#send(workstation.makePull())
        return
      }
      case 'deliver': {
        this.#deliver(chance, step.stopAfter)
        return
      }
      case 'lose': {
        this.#drop(chance)
        return
      }
      case 'double': {
        this.#send(chance.pick(this.#network) ?? null)
        return
      }
      case 'part':
        this.#parted.add(workstation.name)
        return
      case 'join':
        this.#parted.delete(workstation.name)
        return
      case 'stop': {
        this.#restart(workstation)
        return
      }
      case 'stop-hub': {
        this.#restartHub()
        return
      }
      case 'sequence': {
        this.hub.sequenceOne(chance)
        return
      }
      case 'hub-work': {
        this.#workAtHub(doSomeWork, chance)
        return
      }
      case 'administer': {
        this.#workAtHub(administer, chance)
        return
      }
      case 'resolve': {
        const item = chance.pick([...this.hub.openItems.values()])
        if (item !== undefined) this.#resolve(item, chance, step.stopAfter)
        return
      }
      case 'skew':
        this.#skews[workstation.name] = (chance.below(25) - 12) * hour
        return
    }
  }

  /** Everybody is there again, nothing is lost any more, and all that is due is done. */
  heal(): void {
    this.#parted.clear()
    this.#restartHub()
    for (const workstation of this.workstations) this.#restart(workstation)
    for (let round = 0; round < 100; round += 1) {
      if (this.#isQuiet()) return
      for (const workstation of this.workstations) {
        while (workstation.reactions.length > 0) this.#react(workstation, new Chance(round), null)
        workstation.pushAgain()
        this.#send(workstation.makePush(100))
        this.#send(workstation.makePull())
      }
      while (this.#network.length > 0) this.#deliver(new Chance(round), null)
      while (this.hub.hasHeaders) this.hub.sequenceOne(new Chance(round))
    }
    throw new Error('The copies do not come to rest')
  }

  /** People decide everything that is open; the Hub's proposal is always possible where nothing else is. */
  resolveEverything(chance: Chance): void {
    for (let round = 0; round < 500; round += 1) {
      const item = [...this.hub.openItems.values()].find((each) => each.kind !== 'parked')
      if (item === undefined) return
      const impossible = this.#resolve(item, chance, null)
      if (impossible !== null) {
        throw new Error(`Nobody can resolve ${item.kind} (${item.words}): ${impossible}`)
      }
    }
    throw new Error('There are always new work items')
  }

  #isQuiet(): boolean {
    const { position } = this.hub.head
    return (
      !this.hub.hasHeaders &&
      this.workstations.every((workstation) => workstation.isSettled && workstation.position === position)
    )
  }

  #work(workstation: SimulatedWorkstation, chance: Chance, stopAfter: number | null): void {
    const desk = this.#deskAt(workstation, chance)
    const draft = chance.happens(0.01) ? forgeRole(desk) : doSomeWork(desk)
    if (draft !== null) this.#execute(workstation, desk, draft, null, stopAfter)
  }

  #react(workstation: SimulatedWorkstation, chance: Chance, stopAfter: number | null): void {
    const due = workstation.reactions[0]
    if (due === undefined) return
    const desk = this.#deskAt(workstation, chance)
    const draft = react(desk, due.domain, due.event)
    if (draft === null) workstation.reactions.shift()
    else this.#execute(workstation, desk, draft, due, stopAfter)
  }

  #execute(
    workstation: SimulatedWorkstation,
    desk: Desk,
    draft: Draft,
    due: DueReaction | null,
    stopAfter: number | null,
  ): void {
    const set = makeChangeSet(desk, draft, {
      workstationId: `bench-${workstation.name}`,
      causedBy: due?.causedBy ?? null,
      hybridLogicalTime: desk.now(),
    })
    const done = run(workstation.execute(set, due), stopAfter)
    if (done === 'stopped') this.#restart(workstation)
    else this.acknowledged.set(done.id, done)
  }

  #restart(workstation: SimulatedWorkstation): void {
    for (const set of workstation.restart()) this.acknowledged.set(set.id, set)
  }

  #restartHub(): void {
    run(this.hub.decideReady(), null)
  }

  #send(message: Message | null): void {
    if (message !== null && this.#network.length < 40) this.#network = [...this.#network, message]
  }

  #drop(chance: Chance): void {
    const lost = chance.pick(this.#network)
    this.#network = this.#network.filter((message) => message !== lost)
  }

  #deliver(chance: Chance, stopAfter: number | null): void {
    const onItsWay = this.#network.filter((message) => {
      const party = message.to === 'hub' ? message.from : message.to
      return !this.#parted.has(party)
    })
    const message = chance.pick(onItsWay)
    if (message === undefined) return
    // A message that was doubled is the same object twice: one of them arrives.
    const index = this.#network.indexOf(message)
    this.#network = this.#network.filter((_, position) => position !== index)
    if (message.to === 'hub') {
      this.#arriveAtHub(message, chance, stopAfter)
      return
    }
    const workstation = this.workstations[message.to]
    if (workstation === undefined) return
    if (message.kind === 'received') {
      workstation.noteReceived(message.lastId)
      return
    }
    if (run(workstation.takeEntries(message.entries), stopAfter) === 'stopped') this.#restart(workstation)
  }

  #arriveAtHub(message: Extract<Message, { to: 'hub' }>, chance: Chance, stopAfter: number | null): void {
    if (message.kind === 'pull') {
      this.#send(this.hub.entriesAfter(message.from, message.after, 1 + chance.below(30)))
      return
    }
    const answer = run(this.hub.receive(message), stopAfter)
    if (answer === 'stopped') this.#restartHub()
    else this.#send(answer)
  }

  #workAtHub(work: (desk: Desk) => Draft | null, chance: Chance): void {
    const desk = this.#deskOfHub(chance)
    const draft = work(desk)
    if (draft !== null) this.#commitAtHub(desk, draft, null)
  }

  /** A command at the Hub, and the reactions to it. What the rules do not allow is refused before it is written. */
  #commitAtHub(desk: Desk, draft: Draft, causedBy: string | null): void {
    const set = makeChangeSet(desk, draft, { workstationId: 'hub', causedBy, hybridLogicalTime: desk.now() })
    const decision = this.hub.decide(set, { from: 'hub' })
    if (decision.kind !== 'decision' || decision.fates[0]?.fate.status !== 'taken') return
    this.hub.commit(decision)
    this.acknowledged.set(set.id, set)
    for (const event of draft.events) {
      const next = this.#deskOfHub(desk.chance)
      const reaction = react(next, draft.domain, event)
      if (reaction !== null) this.#commitAtHub(next, reaction, set.id)
    }
  }

  /** Null when it was resolved; otherwise why none of the choices was possible. */
  #resolve(item: WorkItem, chance: Chance, stopAfter: number | null): string | null {
    const reasons: string[] = []
    const choices: Choice[] = chance.happens(0.5) ? [{ take: 'pushed' }, { take: 'hub' }] : [{ take: 'hub' }]
    for (const choice of [...choices, rename(item, this.hub, chance)]) {
      const desk = this.#deskOfHub(chance)
      const resolver = {
        ...{ id: desk.changeSetId, laboratoryId, workstationId: 'hub', actorId: desk.personId },
        ...{
          hybridLogicalTime: desk.now(),
          recordedAt: desk.now(),
          reason: 'decided',
          correlationId: 'decided',
        },
      }
      const answer = run(this.hub.resolve(item.id, choice, resolver), stopAfter)
      if (answer === 'stopped') this.#restartHub()
      if (answer === null || answer === 'stopped') return null
      reasons.push(`${choice.take}: ${answer.words}`)
    }
    return reasons.join(' ')
  }

  #deskAt(workstation: SimulatedWorkstation, chance: Chance): Desk {
    const now = () => this.#time + (this.#skews[workstation.name] ?? 0)
    return this.#deskOf(this.#people[workstation.name] ?? '', workstation.rows, chance, now)
  }

  #deskOfHub(chance: Chance): Desk {
    return this.#deskOf('00000000-0000-4000-8000-0000000000cc', this.hub.rows, chance, () => this.#time)
  }

  #deskOf(personId: string, rows: RowStore, chance: Chance, clock: () => number): Desk {
    const newId = () => {
      this.#ids += 1
      const time = clock().toString(16).padStart(12, '0')
      const count = this.#ids.toString(16).padStart(12, '0')
      return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${count}`
    }
    const now = () => new Date(clock()).toISOString()
    return { laboratoryId, personId, rows, chance, changeSetId: newId(), newId, now }
  }
}

/** Runs a protocol to its end, or until the machine stops. */
function run<Result>(steps: Steps<Result>, stopAfter: number | null): Result | 'stopped' {
  for (let count = 0; ; count += 1) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (count === stopAfter) return 'stopped'
  }
}

/** What is left where neither side can give way: the contested one gets another name. */
function rename(item: WorkItem, hub: SimulatedHub, chance: Chance): Choice {
  if (isHeld(item)) return { take: 'hub' }
  const [, table = '', id = ''] = item.subject.split('/')
  const name = `other ${hub.head.position} ${chance.below(1_000_000)}`
  const values = table === 'template' ? { name } : { key: name, letter: name }
  return { take: 'edits', edits: [{ table, id, values }] }
}
