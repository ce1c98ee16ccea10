/** What a command gets from the terminal. */
export interface CommandContext {
  /** TRACSEQ_HOME, absolute. */
  readonly home: string
  /** The repository, or the packaged application. */
  readonly root: string
  /** An option's value; null when it was not given. */
  readonly option: (name: string) => string | null
  /** Writes one line for the person. */
  readonly say: (line: string) => void
  /** Asks for one line that must not be seen, or reads it when nobody sits there. */
  readonly askSecret: (question: string) => Promise<string>
}

/** One word of `npm run tracseq`. */
export interface Command {
  readonly name: string
  /** What follows the word, for the usage text. */
  readonly parameters: string
  readonly summary: string
  /** Options besides `--home` that take a value. */
  readonly options: readonly string[]
  /** The exit status. */
  readonly run: (context: CommandContext) => Promise<number>
}

/** Something the person must put right; it is said without a stack. */
export class CommandRefused extends Error {
  override readonly name = 'CommandRefused'
}

/** An option without which a command cannot work. */
export function required(context: CommandContext, option: string, example: string): string {
  const value = context.option(option)
  if (value !== null) return value
  throw new CommandRefused(`--${option} is missing, for example: --${option} ${example}`)
}
