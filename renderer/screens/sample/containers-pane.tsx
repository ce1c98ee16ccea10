import { useTranslation } from 'react-i18next'
import type { Sample } from '../../../services/samples/contract.ts'
import type { Container } from '../../../services/storage/contract.ts'
import { ContainerStatus } from '../../components/status.tsx'
import { goTo } from '../../navigation.ts'

/** The tubes a sample is in. */
export function ContainersPane({
  containers,
  sample,
}: {
  readonly containers: readonly Container[]
  readonly sample: Sample
}) {
  const { t } = useTranslation('sample')
  return (
    <section aria-label={t('containers')}>
      <div className="pane-h rule-t">
        <h2>{t('containers')}</h2>
        <span className="cnt">{containers.length}</span>
      </div>
      {containers.length === 0 ? (
        <p className="t3 sample-none">{t('noContainer', { name: sample.name })}</p>
      ) : (
        <table className="tb">
          <thead>
            <tr>
              <th>{t('tube')}</th>
              <th>{t('where')}</th>
              <th>{t('state')}</th>
            </tr>
          </thead>
          <tbody>
            {containers.map((container) => (
              <tr key={container.id}>
                <td className="code">{container.label}</td>
                <td>
                  <Where container={container} />
                </td>
                <td>
                  <ContainerStatus state={container.state} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function Where({ container }: { readonly container: Container }) {
  const { t } = useTranslation('sample')
  if (container.state === 'checked_out') return <>{t('inHandOf', { who: container.heldBy ?? '' })}</>
  const { place } = container
  if (place === null) return <>{t('nowhere')}</>
  return (
    <button
      type="button"
      className="link"
      onClick={() =>
        goTo({ to: '/storage/$boxId', params: { boxId: place.boxId }, search: { position: place.position } })
      }
    >
      {place.boxName}, {place.position}
    </button>
  )
}
