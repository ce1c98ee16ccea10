import type { Import, ImportRow, Template } from '../../../services/templates/contract.ts'

/** A column of the rows that are checked: a field of the template, or one that is kept as it came. */
export interface SheetColumn {
  readonly key: string
  /** Null for a column that is kept as it came. */
  readonly fieldKey: string | null
  /** Letter in the file; empty for a field that has one given value for all rows. */
  readonly letter: string
  readonly heading: string
  readonly look: 'text' | 'code' | 'number'
  /** Pixels. */
  readonly width: number
}

/** The columns in the order of the file: fields first, then what is kept with the sample as it came. */
export function sheetColumns(
  { columns }: Pick<Import, 'columns'>,
  template: Pick<Template, 'fields'> | null,
): readonly SheetColumn[] {
  const fields = new Map(template?.fields.map((field) => [field.key, field]))
  const shown = columns.flatMap((column): SheetColumn[] => {
    if (column.use === 'left-out') return []
    if (column.use === 'extra') {
      return [
        {
          key: `column:${column.column}`,
          fieldKey: null,
          letter: column.column,
          heading: column.heading,
          look: 'text',
          width: 110,
        },
      ]
    }
    if (column.fieldKey === null || (column.column === '' && column.given === null)) return []
    const field = fields.get(column.fieldKey)
    const look =
      field?.kind === 'number'
        ? 'number'
        : field?.kind === 'barcode' || isId(column.fieldKey)
          ? 'code'
          : 'text'
    return [
      {
        key: `field:${column.fieldKey}`,
        fieldKey: column.fieldKey,
        letter: column.column,
        heading: headingOf(field?.label ?? column.heading, field?.unit ?? null),
        look,
        width: look === 'number' ? 88 : look === 'code' ? 112 : field?.kind === 'date' ? 106 : 92,
      },
    ]
  })
  return [
    ...shown.filter(({ fieldKey }) => fieldKey !== null),
    ...shown.filter(({ fieldKey }) => fieldKey === null),
  ]
}

/** Label and unit; where both are too long for a column of figures the unit says it all, as on a bench sheet. */
function headingOf(label: string, unit: string | null): string {
  if (unit === null) return label
  return label.length > 9 ? unit : `${label} ${unit}`
}

/** What stands in a cell now. */
export function cellText(row: ImportRow, column: SheetColumn): string {
  return column.fieldKey === null
    ? (row.extra[column.heading] ?? '')
    : (row.cells[column.fieldKey]?.value ?? '')
}

/** Findings about this cell that nobody has accepted; without a column those about the whole row. */
export function findingsAt(row: ImportRow, column: SheetColumn | null): ImportRow['findings'] {
  return row.findings.filter(
    (finding) =>
      finding.severity !== 'note' &&
      !finding.accepted &&
      (column === null
        ? finding.fieldKey === null && finding.column === ''
        : column.fieldKey === null
          ? finding.fieldKey === null && finding.column === column.letter
          : finding.fieldKey === column.fieldKey),
  )
}

/** Saved rows, and those being saved, stay as they are. */
export function isOpen(row: ImportRow): boolean {
  return row.state === 'good' || row.state === 'confirm' || row.state === 'error'
}

function isId(fieldKey: string): boolean {
  return /(id|barcode|code)$/i.test(fieldKey)
}
