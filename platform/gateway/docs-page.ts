import type { OpenAPI } from '@orpc/contract'

const style = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 72rem; margin: 0 auto; padding: 2rem 1rem }
nav a { margin-right: 1rem }
details { border: 1px solid #8886; border-radius: 6px; margin: .5rem 0; padding: .5rem .75rem }
summary { cursor: pointer }
summary b { display: inline-block; width: 3.5rem }
code, pre { font: 13px/1.45 ui-monospace, monospace }
pre { overflow-x: auto; padding: .75rem; border-radius: 6px; background: #8882 }
table { border-collapse: collapse } td, th { text-align: left; padding: .2rem .75rem .2rem 0; vertical-align: top }
`

/** A page to read the API on, complete in itself: it loads nothing from anywhere. */
export function renderDocsPage(document: OpenAPI.Document): string {
  const operations = listOperations(document)
  const tags = [...new Set(operations.map(({ tag }) => tag))].sort()
  const sections = tags.map((tag) => {
    const rendered = operations.filter((operation) => operation.tag === tag).map(renderOperation)
    return `<h2 id="${escape(tag)}">${escape(tag)}</h2>${rendered.join('')}`
  })
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>${escape(document.info.title)}</title>
<style>${style}</style></head><body>
<h1>${escape(document.info.title)} ${escape(document.info.version)}</h1>
<p>Sign in with <code>POST /v1/auth/login</code>, then send <code>Authorization: Bearer …</code>. Errors are
<code>{"code","message","data"}</code>. The same as data: <a href="/openapi.json">openapi.json</a>.</p>
<nav>${tags.map((tag) => `<a href="#${escape(tag)}">${escape(tag)}</a>`).join('')}</nav>
${sections.join('\n')}</body></html>`
}

interface Operation {
  readonly tag: string
  readonly method: string
  readonly path: string
  readonly operation: OpenAPI.OperationObject
}

function listOperations(document: OpenAPI.Document): readonly Operation[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    (['get', 'post', 'put', 'patch', 'delete'] as const).flatMap((method) => {
      const operation = item?.[method]
      if (operation === undefined) return []
      return [{ tag: operation.tags?.[0] ?? 'other', method: method.toUpperCase(), path, operation }]
    }),
  )
}

function renderOperation({ method, path, operation }: Operation): string {
  const parameters = (operation.parameters ?? []).flatMap((parameter) =>
    'name' in parameter ? [parameter] : [],
  )
  const rows = parameters.map(
    ({ name, in: place, required, description, schema }) =>
      `<tr><td><code>${escape(name)}</code></td><td>${escape(place)}${required === true ? ', required' : ''}</td>` +
      `<td>${escape(description ?? '')} <code>${escape(JSON.stringify(schema ?? {}))}</code></td></tr>`,
  )
  const body = operation.requestBody
  const answers = Object.entries(operation.responses ?? {}).map(([status, response]) => {
    const content: unknown = 'content' in response ? response.content : undefined
    return `<h4>${escape(status)}</h4>${renderJson(content)}`
  })
  return `<details><summary><b>${method}</b> <code>${escape(path)}</code> ${escape(operation.summary ?? '')}</summary>
<p>${escape(operation.description ?? '')}</p>
${rows.length === 0 ? '' : `<table>${rows.join('')}</table>`}
${body !== undefined && 'content' in body ? `<h4>Body</h4>${renderJson(body.content)}` : ''}
${answers.join('')}</details>`
}

function renderJson(value: unknown): string {
  return value === undefined ? '' : `<pre>${escape(JSON.stringify(value, null, 2))}</pre>`
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0) ?? 0};`)
}
