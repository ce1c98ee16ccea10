import { PGlite } from '@electric-sql/pglite'
import { DurableNodeFs } from '../platform/database/durable-node-fs.ts'

/** Opens an empty PGlite with fsync in this thread, and nothing of TracSeq in it. */
export function openBarePglite(directory: string): Promise<PGlite> {
  return PGlite.create({
    fs: new DurableNodeFs(directory),
    startParams: [
      ...PGlite.defaultStartParams.filter((parameter) => parameter !== '-F'),
      ...['-c', 'wal_sync_method=fsync'],
    ],
  })
}
