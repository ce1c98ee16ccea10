import { useNavigate, useSearch } from '@tanstack/react-router'
import { type SampleFilters, tidyFilters } from './sample-filters.ts'
import { SamplesScreen } from './samples-screen.tsx'

/** The samples list with its filters in the address; each change can be gone back from. */
export function SamplesRoute() {
  const filters = useSearch({ from: '/samples' })
  const navigate = useNavigate()
  const change = (next: SampleFilters) => void navigate({ to: '/samples', search: tidyFilters(next) })
  return <SamplesScreen filters={filters} onFilters={change} />
}
