import { useQueries, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { useTranslation } from 'react-i18next'
import { SampleId, SampleState } from '../../../services/samples/contract.ts'
import { api } from '../../client.ts'
import { type BoxContents, type BoxLooks, type ColourBy, colourBox, type SampleFacts } from './box-colours.ts'

const nothing: BoxLooks = { caps: new Map(), legend: [] }

/** The colours of a box with the laboratory's own types; states and projects are read only when they are asked for. */
export function useBoxLooks(map: BoxContents | null, by: ColourBy): BoxLooks {
  const { t } = useTranslation('common')
  const types = useQuery(api.samples.types.queryOptions({ staleTime: 300_000 }))
  const needsSamples = by === 'state' || by === 'project'
  const sampleIds = useMemo(
    () => [...new Set(map?.positions.flatMap(({ container }) => container?.sampleId ?? []) ?? [])],
    [map],
  )
  const facts = useQueries({
    queries: (needsSamples ? inParts(sampleIds) : []).map((ids) =>
      api.samples.facts.queryOptions({ input: { ids }, staleTime: 10_000 }),
    ),
    combine: (answers): ReadonlyMap<string, SampleFacts> =>
      new Map(answers.flatMap(({ data = [] }) => data.map((each) => [each.id, each] as const))),
  })
  const letters = types.data
  return useMemo(() => {
    if (map === null) return nothing
    return colourBox(map, {
      by,
      now: Date.now(),
      typeOf: (material) => letters?.find(({ key }) => key === material) ?? null,
      sampleOf: (id) => facts.get(id) ?? null,
      words: {
        unknown: t('box.unknown'),
        state: (state) => t(`sampleState.${SampleState.parse(state)}`),
        age: {
          day: t('box.age.day'),
          week: t('box.age.week'),
          month: t('box.age.month'),
          year: t('box.age.year'),
          older: t('box.age.older'),
        },
      },
    })
  }, [map, by, letters, facts, t])
}

/** As many ids as one question may name; the boxes of most laboratories need one. */
const idsInOneQuestion = 500

function inParts(ids: readonly string[]) {
  const all = SampleId.array().parse(ids)
  return Array.from({ length: Math.ceil(all.length / idsInOneQuestion) }, (_, part) =>
    all.slice(part * idsInOneQuestion, (part + 1) * idsInOneQuestion),
  )
}
