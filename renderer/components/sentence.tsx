import { Fragment } from 'react'

/** A code as it is printed, in the code face. */
export function CodeText({ children }: { readonly children: string }) {
  return <span className="code">{children}</span>
}

/** A sentence whose codes stand in backticks: they are set in the code face. */
export function Sentence({ text }: { readonly text: string }) {
  return text.split('`').map((part, index) =>
    // The parts between backticks are the odd ones; their order never changes, so the index is their key.
    index % 2 === 1 ? <CodeText key={index}>{part}</CodeText> : <Fragment key={index}>{part}</Fragment>,
  )
}
