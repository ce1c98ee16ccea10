import { useState } from 'react'
import { createRoot } from 'react-dom/client'
import { standardWedgeSettings } from '../keyboard-wedge.ts'
import { listenForWedge } from '../wedge-listener.ts'

/** What the page saw, for the test to read. */
export interface WedgePage {
  readonly scans: string[]
  readonly brokenOff: string[]
  readonly clicks: string[]
  readonly submitted: string[]
  reactValue: string
}

const seen: WedgePage = { scans: [], brokenOff: [], clicks: [], submitted: [], reactValue: '' }
Object.assign(window, { seen })

/** A form as the app has them: a controlled field, a list and a button that must not be pressed. */
function Form() {
  const [name, setName] = useState('')
  const [unit, setUnit] = useState('ul')
  seen.reactValue = name
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        seen.submitted.push(name)
      }}
    >
      <input id="name" value={name} onChange={(event) => setName(event.target.value)} />
      <input id="amount" type="number" defaultValue="5" />
      <input id="password" type="password" />
      <textarea id="notes" defaultValue="first line" />
      <select id="unit" value={unit} onChange={(event) => setUnit(event.target.value)}>
        <option value="ul">ul</option>
        <option value="ng">ng</option>
        <option value="S-26">S-26</option>
      </select>
      <button id="delete" type="button" onClick={() => seen.clicks.push('delete')}>
        Delete
      </button>
      <button type="submit">Save</button>
    </form>
  )
}

listenForWedge(window, {
  settings: () => ({ ...standardWedgeSettings, prefix: 'F13' }),
  onScan: (text) => seen.scans.push(text),
  onBrokenOff: (text) => seen.brokenOff.push(text),
})
const root = document.createElement('main')
document.body.append(root)
createRoot(root).render(<Form />)
