import { implement } from '@orpc/server'
import type { Envelope } from '../contract/envelope.ts'
import type { JournalClient } from '../journal/journal-client.ts'
import { JournalError } from '../journal/journal-error.ts'
import { createFileStore, secretsFolder, type SecretStore } from '../journal/secret-store.ts'
import type { KnownHead, VerifyResult } from '../journal/verify-journal.ts'
import { type AuditItem as JournalAuditItem, findProcedure } from '../journal/audit-search.ts'
import { type AuditItem, type ServiceReport, system } from './contract.ts'
import { createDomainKeys } from './domain-keys.ts'
import { commonError, notStarted } from './faults.ts'
import { FileStore } from './file-store.ts'
import type { Gateway, LocalService } from './gateway.ts'
import { createLocalService } from './local-service.ts'
import { measureProcessMemory } from './process-memory.ts'

export interface SystemServiceOptions {
  readonly gateway: Gateway
  readonly journal: JournalClient
  readonly home: string
  readonly version: string
  /** Keeps the secret from which the domains' keys come; plain files in the home when left out. */
  readonly secrets?: SecretStore
  /** What one laboratory may see of the journal, where several share a host; all of it when left out. */
  readonly auditOf?: (laboratoryId: string) => AuditTrail
  /** Keeps each laboratory's files apart, where several share a host. */
  readonly filesPerLaboratory?: boolean
}

export type AuditTrail = Pick<
  JournalClient,
  'search' | 'entry' | 'head' | 'domains' | 'domainHead' | 'epochs' | 'checkpoints' | 'verify'
>

const shownCheckpoints = 20

/** The host's own domain: it runs in the host, behind the same gateway as every other. */
export function createSystemService(options: SystemServiceOptions): LocalService {
  return createLocalService({
    name: 'system',
    contract: system,
    procedures: implementSystem(options),
    explain: explainJournalError,
  })
}

interface ClientContext {
  envelope: Envelope
}

function implementSystem({ gateway, journal, home, version, ...options }: SystemServiceOptions) {
  const os = implement(system).$context<ClientContext>()
  const files = new FileStore(home)
  const keyOf = createDomainKeys(options.secrets ?? createFileStore(secretsFolder(home)), gateway.log)
  const laboratoryOf = ({ envelope }: ClientContext) => envelope.actor?.laboratoryId ?? ''
  const auditOf = options.auditOf ?? (() => journal)
  return os.router({
    health: os.health.handler(() => ({ status: 'ok', version, uptimeMs: gateway.uptimeMs })),
    services: os.services.handler(() => reportServices(gateway)),
    wakeService: os.wakeService.handler(({ input, errors }) => {
      if (!gateway.services().some(({ name }) => name === input.name))
        throw errors.NOT_FOUND({ data: { kind: 'service', id: input.name } })
      gateway.retry(input.name)
      return {}
    }),
    memory: os.memory.handler(measureProcessMemory),
    journal: os.journal.handler(async ({ context }) => ({
      ...journal.state,
      ...(await reportJournal(auditOf(laboratoryOf(context)))),
    })),
    verifyJournal: os.verifyJournal.handler(async ({ context }) => {
      const result = await auditOf(laboratoryOf(context)).verify({ heads: headsOf(gateway) })
      return { ...result, words: describeVerification(result), problems: [...result.problems] }
    }),
    searchAudit: os.searchAudit.handler(async ({ input, context }) => {
      const { text, ...filter } = input
      const found = await auditOf(laboratoryOf(context)).search(
        withoutUndefined({ ...filter, reasonContains: text }),
      )
      return { items: found.items.map(copyItem), nextCursor: found.nextCursor }
    }),
    auditEntry: os.auditEntry.handler(async ({ input, context, errors }) => {
      const entry = await auditOf(laboratoryOf(context)).entry(input.sequence)
      if (entry === null)
        throw errors.NOT_FOUND({ data: { kind: 'journal entry', id: String(input.sequence) } })
      const { payload, ...item } = entry
      const procedure = payload === null ? null : findProcedure(payload)
      return { entry: copyItem({ ...item, payloadRemoved: payload === null, procedure }), payload }
    }),
    changes: os.changes.handler(({ context, signal }) =>
      gateway.changes.follow(context.envelope.actor?.laboratoryId ?? '', signal),
    ),
    trace: os.trace.handler(({ input, context }) => findTrace(gateway, input.id, laboratoryOf(context))),
    domainKey: os.domainKey.handler(({ context, errors }) => {
      const { actor } = context.envelope
      if (actor?.service == null) throw errors.FORBIDDEN({ data: { permission: 'system:domain-key' } })
      return { key: keyOf(actor.service).toString('base64') }
    }),
    storeFile: os.storeFile.handler(async ({ input, context }) => {
      const owner = options.filesPerLaboratory === true ? laboratoryOf(context) : null
      const stored = await files.store(input.file, owner)
      return { ...stored, name: input.file.name }
    }),
    metrics: os.metrics.handler(() => reportMetrics(gateway)),
  })
}

/** The steps of a call, unless it was one of another laboratory. */
function findTrace(gateway: Gateway, id: string, laboratoryId: string) {
  const spans = gateway.traces.find(id)
  const foreign = new Set(
    spans.flatMap(({ traceId, attributes: { laboratoryId: of } }) =>
      of === undefined || of === '' || of === laboratoryId ? [] : [traceId],
    ),
  )
  return spans
    .filter(({ traceId }) => !foreign.has(traceId))
    .map((span) => ({ ...span, attributes: { ...span.attributes } }))
}

function explainJournalError(error: unknown): unknown {
  if (!(error instanceof JournalError)) return error
  return error.code === 'INVALID_ENTRY'
    ? commonError('BAD_REQUEST', { message: error.message })
    : notStarted(error.message)
}

/** What the databases know of the journal's end, so that a tail cut off is noticed. */
function headsOf(gateway: Gateway): readonly KnownHead[] {
  return gateway
    .services()
    .flatMap(({ name, confirmedSequence }) =>
      confirmedSequence === null ? [] : [{ domain: name, domainSequence: confirmedSequence }],
    )
}

function reportServices(gateway: Gateway): ServiceReport[] {
  return gateway.services().map((status) => ({ ...status, ...gateway.figures(status.name) }))
}

async function reportJournal(journal: AuditTrail) {
  const [head, domains, epochs, checkpoints] = await Promise.all([
    journal.head(),
    journal.domains(),
    journal.epochs(),
    journal.checkpoints(shownCheckpoints),
  ])
  const heads = await Promise.all(
    domains.map(async (name) => ({ name, head: await journal.domainHead(name) })),
  )
  return {
    head,
    domains: heads.flatMap(({ name, head: last }) =>
      last === null ? [] : [{ name, domainSequence: last.domainSequence, sequence: last.sequence }],
    ),
    epochs: epochs.map((epoch) => ({ ...epoch, gaps: [...epoch.gaps] })),
    checkpoints: [...checkpoints],
  }
}

/** The result of a verification in words for the person who asked for it. */
export function describeVerification(result: VerifyResult): string {
  switch (result.status) {
    case 'whole':
      return `All ${result.entries} entries are whole: nothing was changed, removed or put in between.${describeCountersignature(result)}`
    case 'broken':
      return `The journal is broken from entry ${result.firstBadSequence ?? 'unknown'} on. ${result.problems[0] ?? ''}`.trim()
    case 'tail-short':
      return `The ${result.entries} entries are whole, but the databases know of later ones that are missing.`
  }
}

function describeCountersignature({ countersigned }: VerifyResult): string {
  return countersigned === null
    ? ''
    : ` The Hub ${countersigned.by} has countersigned them up to entry ${countersigned.upTo}.`
}

function copyItem(item: JournalAuditItem): AuditItem {
  return { ...item, eventNames: [...item.eventNames] }
}

async function reportMetrics(gateway: Gateway) {
  const metrics = await gateway.metrics.registry.getMetricsAsJSON()
  return metrics.map(({ name, help, values }) => ({
    name,
    help,
    values: values
      .filter(({ value }) => Number.isFinite(value))
      .map((value) => ({
        name: 'metricName' in value && typeof value.metricName === 'string' ? value.metricName : name,
        labels: withoutUndefined(value.labels),
        value: value.value,
      })),
  }))
}

type Defined<T> = { [Name in keyof T]: Exclude<T[Name], undefined> }

/** Leaves out what is undefined, since a field that is not given and one that is `undefined` are different things. */
function withoutUndefined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>
}
