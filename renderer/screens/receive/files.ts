import { largestFileBytes } from '../../../platform/gateway/contract.ts'
import type { Import } from '../../../services/templates/contract.ts'
import { client } from '../../client.ts'
import { i18n } from '../../i18n.ts'
import { problemCode, problemWords } from '../../problem.ts'
import { saveFile } from '../../save-file.ts'

const t = i18n.getFixedT(null, 'receive')

/** Why a file became no import, and what to do about it. */
export interface FileTrouble {
  readonly fileName: string
  readonly words: string
  readonly advice: string
}

export type OpenedFile =
  { readonly ok: true; readonly opened: Import } | { readonly ok: false; readonly trouble: FileTrouble }

/** Stores a file and opens it as an import; nothing of it becomes a sample yet. */
export async function openFile(file: File, onStored: () => void): Promise<OpenedFile> {
  const refuse = (words: string, advice: string): OpenedFile => ({
    ok: false,
    trouble: { fileName: file.name, words, advice },
  })
  if (file.size > largestFileBytes) return refuse(t('file.tooLarge'), t('file.advice.too-large'))
  try {
    const stored = await client.system.storeFile({ file })
    onStored()
    const opened = await client.templates.openImport({ fileSha256: stored.sha256, fileName: file.name })
    return { ok: true, opened }
  } catch (error) {
    const told = problemCode(error) === 'NOT_READABLE' ? unreadable(error) : null
    if (told === null) return refuse(problemWords(error), t('file.advice.other'))
    const advice = `file.advice.${told.code}`
    return refuse(
      told.why,
      i18n.exists(`receive:${advice}`) ? t(advice as 'file.advice.other') : t('file.advice.other'),
    )
  }
}

function unreadable(error: unknown): { readonly why: string; readonly code: string } | null {
  const data: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'data') : null
  if (typeof data !== 'object' || data === null) return null
  const why: unknown = Reflect.get(data, 'why')
  const code: unknown = Reflect.get(data, 'code')
  return typeof why === 'string' && typeof code === 'string' ? { why, code } : null
}

/** Hands a text to the person as a file. */
export function saveAsFile(text: string, name: string): void {
  saveFile(new Blob([text], { type: 'text/csv;charset=utf-8' }), name)
}
