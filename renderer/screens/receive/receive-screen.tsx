import { useNavigate, useSearch } from '@tanstack/react-router'
import { FileStep } from './file-step.tsx'
import { ImportScreen } from './import-screen.tsx'
import { OneByOne } from './one-by-one.tsx'
import type { ReceiveSearch } from './receive-search.ts'
import './receive.css'

/** From what a client sent to samples: a spreadsheet in five steps, or tubes scanned one by one. */
export function ReceiveScreen() {
  const search = useSearch({ from: '/receive' })
  const navigate = useNavigate()
  const go = (next: ReceiveSearch) => void navigate({ to: '/receive', search: next })
  if (search.one === true) return <OneByOne onLeave={() => go({})} />
  if (search.import !== undefined) {
    return <ImportScreen key={search.import} id={search.import} step={search.step ?? null} onGo={go} />
  }
  return <FileStep onGo={go} />
}
