import { z } from 'zod'
import { send } from './http-client.ts'
import type { SignedIn } from './workstation-process.ts'

/** Stores a file as the windows do. Answers with its hash. */
export async function storeFile({ url, token }: SignedIn, file: File): Promise<string> {
  const form = new FormData()
  form.append('file', file)
  const { body } = await send({
    url: `${url}/v1/system/files`,
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: form,
  })
  return z.object({ sha256: z.string() }).parse(body).sha256
}
