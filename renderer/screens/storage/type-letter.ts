import { useQuery } from '@tanstack/react-query'
import { api } from '../../client.ts'

/** The letter of a material as it stands on caps; the laboratory's own types have theirs too. */
export function useTypeLetter(): (material: string) => string {
  const types = useQuery(api.samples.types.queryOptions({ staleTime: 300_000 }))
  return (material) =>
    types.data?.find(({ key }) => key === material)?.letter ?? (material.trim()[0] ?? '·').toUpperCase()
}

/** The name of a material as the laboratory writes it. */
export function useTypeName(): (material: string) => string {
  const types = useQuery(api.samples.types.queryOptions({ staleTime: 300_000 }))
  return (material) => types.data?.find(({ key }) => key === material)?.name ?? material
}
