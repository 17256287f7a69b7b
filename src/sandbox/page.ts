// The page a person opens to see what each vendor holds. One file, no scripts, nothing from the network.
import type { Json, JsonObject } from '../core/json.ts'
import type { Fault } from './fault.ts'

export interface Seen {
  readonly at: string
  readonly method: string
  readonly path: string
  readonly status: number | 'broken'
  readonly ms: number
  readonly fault?: string
}

export interface Shown {
  readonly name: string
  readonly title: string
  readonly url: string
  readonly holds: JsonObject
  readonly faults: readonly Fault[]
  /** How many in all, and the last ones, newest first. */
  readonly requests: number
  readonly recent: readonly Seen[]
}

const rowsShown = 50

export const renderPage = (twins: readonly Shown[]): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sandbox</title><meta name="viewport" content="width=device-width">
<style>
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif }
body { max-width: 1100px; margin: 0 auto; padding: 1rem }
h2 { border-top: 1px solid #8886; padding-top: 1rem }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: .4rem 0 1rem }
th, td { text-align: left; padding: .15rem .7rem .15rem 0; border-bottom: 1px solid #8883; white-space: nowrap; max-width: 26rem; overflow: hidden; text-overflow: ellipsis }
th { font-weight: 600 } code { font-size: .92em } .quiet { opacity: .65 } .bad { color: #c33 }
</style></head><body>
<h1>Sandbox</h1>
<p>Stand-ins for vendors. ${twins.length === 0 ? 'None was found.' : `What each holds now; reload to see it change.`}</p>
${twins.map(section).join('\n')}
</body></html>
`

const section = (twin: Shown): string => `<h2 id="${escape(twin.name)}">${escape(twin.title)}</h2>
<p class="quiet"><code>${escape(twin.url)}</code> · ${twin.requests} requests · <a href="/_sandbox/${escape(twin.name)}">all as JSON</a></p>
${twin.faults.map((fault) => `<p class="bad">Fault on: <code>${escape(JSON.stringify(fault))}</code></p>`).join('')}
${Object.entries(twin.holds)
  .map(([name, value]) => block(name, value))
  .join('\n')}
${twin.recent.length === 0 ? '' : `<h3>Last requests</h3>${table(twin.recent.map((seen) => ({ ...seen, fault: seen.fault ?? null })))}`}`

// Lists and maps of objects become tables; a map of maps becomes one table each; the rest is said in a line.
const block = (name: string, value: Json): string => {
  const entries = isRecord(value) ? Object.entries(value) : []
  if (Array.isArray(value) && value.every(isRecord)) return titled(name, value.length, table(value))
  if (entries.length > 0 && entries.every(([, inner]) => isRecord(inner) && Object.values(inner).some(isRecord))) {
    return entries.map(([key, inner]) => block(`${name}: ${key}`, inner)).join('\n')
  }
  if (isRecord(value) && entries.every(([, inner]) => isRecord(inner))) {
    return titled(
      name,
      entries.length,
      table(entries.map(([key, inner]) => ({ '': key, ...(isRecord(inner) ? inner : {}) }))),
    )
  }
  return `<p>${escape(name)}: <code>${escape(text(value))}</code></p>`
}

const titled = (name: string, count: number, body: string): string =>
  `<h3>${escape(name)} <span class="quiet">(${count})</span></h3>${body}`

const table = (rows: readonly JsonObject[]): string => {
  if (rows.length === 0) return '<p class="quiet">empty</p>'
  const shown = rows.slice(0, rowsShown)
  const columns = [...new Set(shown.flatMap((row) => Object.keys(row)))]
  const head = columns.map((column) => `<th>${escape(column)}</th>`).join('')
  const body = shown.map(
    (row) => `<tr>${columns.map((column) => `<td>${escape(text(row[column]))}</td>`).join('')}</tr>`,
  )
  const more = rows.length > shown.length ? `<p class="quiet">and ${rows.length - shown.length} more</p>` : ''
  return `<table><tr>${head}</tr>${body.join('')}</table>${more}`
}

const isRecord = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const text = (value: Json | undefined): string => {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value) && value.length > 10) return `${value.length} items`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

const escape = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
