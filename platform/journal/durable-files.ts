import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** Makes the names in a folder durable. A created or renamed file is only safe after this. */
export function syncFolder(folder: string): void {
  // Windows keeps names durable itself and cannot open folders.
  if (process.platform === 'win32') return
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Renames within one folder and makes the new name durable. */
export function renameDurably(from: string, to: string): void {
  renameSync(from, to)
  syncFolder(dirname(to))
}

/**
 * Writes a small file that only its owner reads, so that whoever looks, also after a power cut, finds the old
 * content or the new one and never a part.
 */
export function writeWhole(path: string, content: string | Uint8Array): void {
  const unfinished = `${path}.new`
  const file = openSync(unfinished, 'w', 0o600)
  try {
    writeFileSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameDurably(unfinished, path)
}
