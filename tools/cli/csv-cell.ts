const plainNumber = /^[+-]?\d+(\.\d+)?(e[+-]?\d+)?$/i

/**
 * One cell of a CSV file. Text that a spreadsheet program would run as a formula gets an apostrophe in front; plain
 * numbers, negative ones too, stay numbers.
 */
export function escapeCell(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) && !plainNumber.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
