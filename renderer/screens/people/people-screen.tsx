/** people */
export function PeopleScreen() {
  return <p>people</p>
}
