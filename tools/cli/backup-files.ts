import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { copyFile, open, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { fsyncDirectory } from '../../platform/database/durable-node-fs.ts'
import { CommandRefused } from './command.ts'

/** Written last, so that a backup without it is known to be unfinished. */
export const manifestName = 'backup.json'

/** What a backup holds. */
export const BackupManifest = z.object({
  format: z.literal(1),
  program: z.string(),
  takenAt: z.string(),
  workstation: z.string(),
  journal: z.object({ entries: z.number().int(), headHash: z.string().nullable() }),
  files: z.array(z.object({ path: z.string(), bytes: z.number().int(), sha256: z.string() })),
})
export type BackupManifest = z.infer<typeof BackupManifest>

/** Reads what a backup says it holds. */
export async function readManifest(folder: string): Promise<BackupManifest> {
  const path = join(folder, manifestName)
  if (!existsSync(path)) {
    throw new CommandRefused(
      `${folder} has no ${manifestName}: it is no backup, or one that was not finished.`,
    )
  }
  const parsed = BackupManifest.safeParse(JSON.parse(await readFile(path, 'utf8')))
  if (!parsed.success) throw new CommandRefused(`${path} cannot be understood by this version of TracSeq.`)
  return parsed.data
}

/** A folder for something new: missing, or empty. */
export function claimEmptyFolder(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new CommandRefused(`${folder} is not empty. Choose a new folder.`)
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
}

/** Copies a file and makes the copy durable. */
export async function copyDurably(from: string, to: string): Promise<void> {
  mkdirSync(dirname(to), { recursive: true })
  await copyFile(from, to)
  await makeDurable(to)
}

/** Forces a file and its name to the disk. */
export async function makeDurable(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
  fsyncDirectory(dirname(path))
}

/** A file's size and SHA-256. */
export async function fingerprint(
  path: string,
): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { bytes, sha256: hash.digest('hex') }
}
