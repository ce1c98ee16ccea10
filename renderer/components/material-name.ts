import { api, queries } from '../client.ts'

/** A type's name as the laboratory writes it, when the types were read before. */
export function materialName(material: string): string {
  const types = queries.getQueryData(api.samples.types.queryKey())
  return types?.find(({ key }) => key === material)?.name ?? material
}
