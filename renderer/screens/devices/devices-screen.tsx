/** devices */
export function DevicesScreen() {
  return <p>devices</p>
}
