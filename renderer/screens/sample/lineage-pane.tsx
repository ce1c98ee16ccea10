import { useTranslation } from 'react-i18next'
import type { z } from 'zod'
import type { Relationship, Sample, SampleType } from '../../../services/samples/contract.ts'
import { Cap } from '../../components/cap.tsx'
import { goTo } from '../../navigation.ts'
import { generationsOf } from './generations.ts'

interface Lineage {
  readonly samples: readonly Sample[]
  readonly edges: readonly {
    readonly childId: string
    readonly parentId: string
    readonly relationship: z.infer<typeof Relationship>
  }[]
}

/** Where a sample comes from and what was made of it, one column a generation. */
export function LineagePane({
  sample,
  lineage,
  types,
}: {
  readonly sample: Sample
  readonly lineage: Lineage
  readonly types: readonly SampleType[]
}) {
  const { t } = useTranslation('sample')
  const byId = new Map([...lineage.samples, sample].map((each) => [each.id as string, each]))
  const generations = generationsOf(sample.id, lineage.edges)
  const relatives = byId.size - 1
  return (
    <section aria-label={t('lineage')}>
      <div className="pane-h">
        <h2>{t('lineage')}</h2>
        <span className="cnt">{t('relatives', { count: relatives })}</span>
      </div>
      {relatives === 0 ? (
        <p className="t3 sample-none">{t('noRelatives')}</p>
      ) : (
        <ol className="lineage">
          {generations.map((ids, index) => (
            <li key={index}>
              {ids.map((id) => {
                const each = byId.get(id)
                if (each === undefined) return null
                const letter = types.find(({ key }) => key === each.type)?.letter ?? '?'
                const edge = lineage.edges.find(({ childId }) => childId === id)
                return (
                  <button
                    key={id}
                    type="button"
                    className={id === sample.id ? 'here' : ''}
                    aria-current={id === sample.id ? 'true' : undefined}
                    onClick={() => goTo({ to: '/samples/$id', params: { id } })}
                  >
                    <span className="t3 xs">
                      {edge === undefined ? t('origin') : t(`relations.${edge.relationship}`)}
                    </span>
                    <span className="lineage-name">
                      <Cap material={each.type} letter={letter} size="s" />
                      <span className="code ell">{each.code ?? each.name}</span>
                    </span>
                    <span className="t3 sm">{each.volumeUl === null ? '' : `${each.volumeUl} µL`}</span>
                  </button>
                )
              })}
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}
