import { once } from 'node:events'
import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs'
import { join, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { sql } from 'drizzle-orm'
import type { Engine } from '../../platform/database/engine.ts'
import { columnTypes, quoteName } from '../../platform/database/replay.ts'
import { rowsOf, type Transaction } from '../../platform/database/transaction.ts'
import { claimEmptyFolder } from './backup-files.ts'
import { type Command, CommandRefused, required } from './command.ts'
import { escapeCell } from './csv-cell.ts'
import { allDomains, openCopy } from './domain-access.ts'
import { domainsIn, observeHome } from './home-access.ts'

const formats = ['jsonl', 'csv', 'both'] as const
type Format = (typeof formats)[number]

const rowsPerPage = 1_000

export const exportTables: Command = {
  name: 'export',
  parameters: '--to FOLDER [--domain D] [--format jsonl|csv|both]',
  summary: 'writes every table, without secrets, as JSON lines (exact) and CSV (for spreadsheets)',
  options: ['to', 'domain', 'format'],
  async run(context) {
    const { home, option, say } = context
    const to = resolve(required(context, 'to', './tracseq-export'))
    const format = formats.find((each) => each === (option('format') ?? 'both'))
    if (format === undefined) throw new CommandRefused(`--format is one of ${formats.join(', ')}`)
    const only = option('domain')
    if (only !== null && !allDomains.includes(only)) {
      throw new CommandRefused(`There is no domain ${only}. There are ${allDomains.join(', ')}.`)
    }
    const observed = observeHome(home)
    try {
      if (observed.running) throw new CommandRefused(`TracSeq is running on ${home}. Close it first.`)
      claimEmptyFolder(to)
      for (const domain of domainsIn(home).filter((each) => only === null || each === only)) {
        const { engine, close } = await openCopy(home, domain)
        try {
          for (const line of await exportDomain(engine, join(to, domain), format)) say(`${domain}: ${line}`)
        } finally {
          await close()
        }
      }
      return 0
    } finally {
      observed.release()
    }
  },
}

async function exportDomain(engine: Engine, folder: string, format: Format): Promise<readonly string[]> {
  mkdirSync(folder, { recursive: true })
  return engine.transact(async (tx) => {
    await tx.execute(
      sql`select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, YMD', true)`,
    )
    const tables = await rowsOf<{ name: string }>(
      tx,
      sql`select table_name as name from platform.synced_table
        where policy <> 'local' and table_name not like 'platform.%' order by 1`,
    )
    const said: string[] = []
    for (const { name } of tables) said.push(`${name}: ${await exportTable(tx, name, folder, format)} rows`)
    return said
  })
}

async function exportTable(tx: Transaction, table: string, folder: string, format: Format): Promise<number> {
  const columns = [...(await columnTypes(tx, table)).keys()]
  const lines = format === 'csv' ? null : createWriteStream(join(folder, `${table}.jsonl`))
  const sheet = format === 'jsonl' ? null : createWriteStream(join(folder, `${table}.csv`))
  // The mark by which spreadsheet programs know UTF-8.
  await write(sheet, `\uFEFF${columns.map(escapeCell).join(',')}\r\n`)
  const cells = columns.map((column) => `${quoteName(column)}::text`).join(', ')
  await tx.execute(sql`declare exported no scroll cursor for
    select json_build_array(${sql.raw(cells)}) as cells from ${sql.raw(table)} order by laboratory_id, id`)
  let count = 0
  for (;;) {
    const page = await rowsOf<{ cells: readonly (string | null)[] }>(
      tx,
      sql.raw(`fetch ${String(rowsPerPage)} from exported`),
    )
    if (page.length === 0) break
    count += page.length
    for (const row of page) {
      const record = Object.fromEntries(columns.map((name, index) => [name, row.cells[index] ?? null]))
      await write(lines, `${JSON.stringify(record)}\n`)
      await write(sheet, `${row.cells.map((cell) => escapeCell(cell ?? '')).join(',')}\r\n`)
    }
  }
  await tx.execute(sql`close exported`)
  for (const stream of [lines, sheet]) if (stream !== null) await finished(stream.end())
  return count
}

async function write(stream: WriteStream | null, text: string): Promise<void> {
  if (stream !== null && !stream.write(text)) await once(stream, 'drain')
}
