import { useQueries, useQuery } from '@tanstack/react-query'
import type { NavigateOptions } from '@tanstack/react-router'
import { useMemo } from 'react'
import type { WorkItemView } from '../../../platform/sync/contract.ts'
import { SampleId } from '../../../services/samples/contract.ts'
import { ContainerId } from '../../../services/storage/contract.ts'
import { api } from '../../client.ts'
import { useMay } from '../../session/session-store.ts'
import { type About, aboutRow, namingColumns, valuesOf } from './proposals.ts'

/** A thing of the laboratory by what people call it, and where its page is. */
export interface Thing {
  readonly name: string
  readonly link: NavigateOptions | null
}

export type ThingOf = (about: About) => Thing | null

/** More than anybody reads at once. */
const most = 60

/** Names and pages of everything that an item speaks of; null for what is not here. */
export function useThings(item: WorkItemView): ThingOf {
  const maySamples = useMay('samples:read')
  const mayStorage = useMay('storage:read')
  const wanted = useMemo(() => listThings(item), [item])
  const idsOf = (kind: About['kind']) =>
    [...new Set(wanted.filter((each) => each.kind === kind).map(({ id }) => id))].slice(0, most)
  const containerIds = idsOf('container').flatMap((id) => ContainerId.safeParse(id).data ?? [])
  const samples = useQueries({
    queries: (maySamples ? idsOf('sample') : []).flatMap((id) => {
      const sampleId = SampleId.safeParse(id).data
      return sampleId === undefined
        ? []
        : [api.samples.get.queryOptions({ input: { id: sampleId }, retry: false, staleTime: 30_000 })]
    }),
    combine: (answers) =>
      new Map(answers.flatMap(({ data }) => (data === undefined ? [] : [[data.id, data]]))),
  })
  const containers = useQuery(
    api.storage.locate.queryOptions({
      input: { containerIds },
      enabled: mayStorage && containerIds.length > 0,
      staleTime: 30_000,
    }),
  )
  const places = useQuery(
    api.storage.tree.queryOptions({
      input: {},
      enabled: mayStorage && wanted.some(({ kind }) => kind === 'place'),
      staleTime: 30_000,
    }),
  )
  return ({ kind, id }) => {
    switch (kind) {
      case 'sample': {
        const sample = samples.get(SampleId.safeParse(id).data ?? SampleId.parse(nobody))
        if (sample === undefined) return null
        const name = sample.code === null ? sample.name : `${sample.code} · ${sample.name}`
        return { name, link: { to: '/samples/$id', params: { id } } }
      }
      case 'container': {
        const found = containers.data?.find(({ containerId }) => containerId === id)
        if (found === undefined) return null
        if (found.sampleId !== null)
          return { name: found.label, link: { to: '/samples/$id', params: { id: found.sampleId } } }
        if (found.boxId === null) return { name: found.label, link: null }
        const search = { position: found.position ?? undefined }
        return { name: found.label, link: { to: '/storage/$boxId', params: { boxId: found.boxId }, search } }
      }
      case 'place': {
        const node = places.data?.find((each) => each.id === id)
        if (node === undefined) return null
        const link: NavigateOptions =
          node.kind === 'box'
            ? { to: '/storage/$boxId', params: { boxId: id } }
            : { to: '/storage', search: { node: id } }
        return { name: node.name, link }
      }
    }
  }
}

const nobody = '00000000-0000-4000-8000-000000000000'

function listThings(item: WorkItemView): readonly About[] {
  return item.rows.flatMap((address) => {
    const [, table = '', id = ''] = address.split('/')
    const values = valuesOf(item, address)
    const named = [
      ...Object.entries(values),
      ...item.conflicts.flatMap(({ column, base, hub, pushed }) =>
        column === null ? [] : [base, hub, pushed].map((value) => [column, value] as const),
      ),
    ].flatMap(([column, value]) => {
      const kind = namingColumns[column]
      return kind === undefined || value === null ? [] : [{ kind, id: value }]
    })
    const about = aboutRow(table, id, values)
    return about === null ? named : [about, ...named]
  })
}
