/** A rectangle of the grid, in indexes, both ends included. */
export interface Block {
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
}

export interface Spot {
  readonly index: number
  readonly column: number
}

/** A value that a cell is to get. */
export interface SpotValue extends Spot {
  readonly value: string
}

export function blockBetween(anchor: Spot, active: Spot): Block {
  return {
    top: Math.min(anchor.index, active.index),
    bottom: Math.max(anchor.index, active.index),
    left: Math.min(anchor.column, active.column),
    right: Math.max(anchor.column, active.column),
  }
}

/**
 * Cells as spreadsheets put them on the clipboard: tabs between cells, line ends between rows, quotation marks around
 * cells that hold either. Every character of a cell stays.
 */
export function parseClipboard(text: string): readonly (readonly string[])[] {
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let quoted = false
  let started = false
  const endCell = () => {
    row.push(cell)
    cell = ''
    started = false
  }
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? ''
    if (quoted) {
      if (character === '"' && text[at + 1] === '"') {
        cell += '"'
        at += 1
      } else if (character === '"') quoted = false
      else cell += character
    } else if (character === '"' && !started && closesCell(text, at)) {
      quoted = true
      started = true
    } else if (character === '\t') endCell()
    else if (character === '\n' || character === '\r') {
      if (character === '\r' && text[at + 1] === '\n') at += 1
      endCell()
      rows.push(row)
      row = []
    } else {
      cell += character
      started = true
    }
  }
  if (started || cell !== '' || row.length > 0) {
    endCell()
    rows.push(row)
  }
  return rows
}

/** Whether the quotation mark at `at` opens a quoted cell: its partner stands before a tab, a line end or the end. */
function closesCell(text: string, at: number): boolean {
  for (let next = at + 1; next < text.length; next += 1) {
    if (text[next] !== '"') continue
    if (text[next + 1] === '"') next += 1
    else return next + 1 === text.length || /[\t\r\n]/.test(text[next + 1] ?? '')
  }
  return false
}

/** Cells in the form that spreadsheets take from the clipboard. */
export function toClipboard(rows: readonly (readonly string[])[]): string {
  return rows
    .map((row) =>
      row.map((cell) => (/^"|[\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join('\t'),
    )
    .join('\r\n')
}

/**
 * What a paste changes: one value fills the whole selection, a block goes to its top left corner. Cells that would
 * stand outside the grid are counted and left away.
 */
export function planPaste(
  values: readonly (readonly string[])[],
  selection: Block,
  grid: { readonly rows: number; readonly columns: number },
): { readonly cells: readonly SpotValue[]; readonly outside: number } {
  const single = values.length === 1 && values[0]?.length === 1 ? values[0][0] : undefined
  if (single !== undefined) return { cells: eachSpot(selection, () => single), outside: 0 }
  const all = values.flatMap((row, down) =>
    row.map((value, right) => ({ index: selection.top + down, column: selection.left + right, value })),
  )
  const cells = all.filter(({ index, column }) => index < grid.rows && column < grid.columns)
  return { cells, outside: all.length - cells.length }
}

/**
 * What filling down reads and changes: the top cell of each selected column goes into all below it. Where only one row
 * is selected, the cells above it are taken.
 */
export function planFillDown(selection: Block): { readonly source: number; readonly into: Block } | null {
  const source = selection.top === selection.bottom ? selection.top - 1 : selection.top
  return source < 0 ? null : { source, into: { ...selection, top: source + 1 } }
}

/** A value for every cell of a block. */
export function eachSpot(block: Block, valueAt: (spot: Spot) => string): readonly SpotValue[] {
  const cells: SpotValue[] = []
  for (let index = block.top; index <= block.bottom; index += 1) {
    for (let column = block.left; column <= block.right; column += 1) {
      cells.push({ index, column, value: valueAt({ index, column }) })
    }
  }
  return cells
}
