interface Place {
  readonly row: number
  readonly column: number
}

/** Where an arrow, Home or End leads in a grid counted from 1; null for any other key. Stays inside the grid. */
export function moveInGrid(
  key: string,
  from: Place,
  size: { readonly rows: number; readonly columns: number },
  ctrl: boolean,
): Place | null {
  switch (key) {
    case 'ArrowUp':
      return { ...from, row: Math.max(1, from.row - 1) }
    case 'ArrowDown':
      return { ...from, row: Math.min(size.rows, from.row + 1) }
    case 'ArrowLeft':
      return { ...from, column: Math.max(1, from.column - 1) }
    case 'ArrowRight':
      return { ...from, column: Math.min(size.columns, from.column + 1) }
    case 'Home':
      return ctrl ? { row: 1, column: 1 } : { ...from, column: 1 }
    case 'End':
      return ctrl ? { row: size.rows, column: size.columns } : { ...from, column: size.columns }
    default:
      return null
  }
}
