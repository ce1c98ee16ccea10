import { join } from 'node:path'
import { pino } from 'pino'
import { LogFile } from './log-file.ts'
import { redactFields, redactText } from './redaction.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** What belongs to a line. `correlationId` names the call that caused it; null when none did. */
export interface LogFields {
  readonly correlationId?: string | null
  readonly [name: string]: unknown
}

export interface Log {
  readonly level: LogLevel
  write(level: LogLevel, message: string, fields?: LogFields): void
  /** Writes what is still in memory. */
  flush(): void
  close(): void
}

export interface LogOptions {
  /** TRACSEQ_HOME; lines go to `logs/tracseq.log` below it. */
  readonly home: string
  readonly level: LogLevel
  readonly stderr: boolean
  readonly largestBytes?: number
  readonly kept?: number
}

/** Opens the one log of a host: JSON lines, secrets taken out, a correlation id (or null) on every line. */
export function openLog(options: LogOptions): Log {
  const file = new LogFile({
    directory: join(options.home, 'logs'),
    name: 'tracseq',
    largestBytes: options.largestBytes ?? 10 * 1024 * 1024,
    kept: options.kept ?? 5,
  })
  const logger = pino(
    {
      level: options.level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line: string) => {
        file.write(line)
        if (options.stderr) process.stderr.write(line)
      },
    },
  )
  const flush = () => file.flush()
  process.once('exit', flush)
  return {
    level: options.level,
    write: (level, message, fields = {}) => {
      if (!logger.isLevelEnabled(level)) return
      logger[level]({ correlationId: null, ...redactFields(fields) }, redactText(message))
      if (level === 'error') file.flush()
    },
    flush,
    close: () => {
      process.off('exit', flush)
      flush()
    },
  }
}
