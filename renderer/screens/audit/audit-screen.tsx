/** audit */
export function AuditScreen() {
  return <p>audit</p>
}
