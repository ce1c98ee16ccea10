/** system */
export function SystemScreen() {
  return <p>system</p>
}
