import { useParams } from '@tanstack/react-router'
import { SampleScreen } from './sample-screen.tsx'

/** The route's part of the sample page: the id stands in the address. */
export function SampleRoute() {
  const { id } = useParams({ from: '/samples/$id' })
  return <SampleScreen key={id} id={id} />
}
