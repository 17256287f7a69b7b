// Whether what is sent to BigQuery is GoogleSQL: Google's analyzer is asked about every statement, with the relations as they are at the
// stand-in at that moment. The stand-in computes with DuckDB and would take much that the service refuses.
import { type Token, tokensOf } from '../../src/warehouse/bigquery/lexer.ts'
import { portableFunctions } from '../../src/warehouse/functions/index.ts'
import { type Google, type GoogleType, type Known, openGoogle } from '../warehouse/bigquery/google.ts'
import type { Fault, Hook, ParameterSent, ParameterType, Seen } from './proxy.ts'

export interface Refused {
  readonly statement: string
  /** What the analyzer says; `at [2:13]` counts lines and columns of what was sent. */
  readonly said: string
  readonly labels: Readonly<Record<string, string>>
}

export interface Judge {
  /** For a proxy. A refused statement is answered as the service would, with `invalidQuery`. */
  readonly hook: Hook
  refused(): readonly Refused[]
  /** Distinct statements that were accepted; other literals make no other statement. */
  accepted(): number
  close(): Promise<void>
}

export interface Field {
  readonly name: string
  readonly type: string
  readonly mode?: string
  readonly fields?: readonly Field[]
}

interface Found {
  readonly known: Known
  readonly key: string
}

export interface Judging {
  /** `lenient`: refused statements are collected and go on to the stand-in. */
  readonly how?: 'strict' | 'lenient'
  /** Names of the datasets, of which the last has the functions. */
  readonly datasets?: readonly [raw: string, models: string, cdp: string]
  /** Of a developer's copy: its datasets, of which the last has functions too. */
  readonly copy?: readonly [models: string, cdp: string]
}

export const openJudge = async (
  standIn: string,
  { how = 'strict', datasets: named = ['raw', 'models', 'cdp'], copy }: Judging = {},
): Promise<Judge> => {
  const datasets = new Set<string>([...named, ...(copy ?? [])])
  const functionHomes = [named[2], ...(copy ?? []).slice(1)]
  const google = await sharedGoogle()
  const tables = new Map<string, Found>()
  const verdicts = new Map<string, Promise<string | undefined>>()
  const refused: Refused[] = []
  let accepted = 0

  const lookUp = async (path: readonly string[]): Promise<Found | undefined> => {
    const name = path.join('.')
    const cached = tables.get(name)
    if (cached) return cached
    const [project = '', dataset = '', table = ''] = path.map(encodeURIComponent)
    const address = `${standIn}/bigquery/v2/projects/${project}/datasets/${dataset}/tables/${table}`
    const answer = await fetch(address)
    const body = (await answer.json()) as { readonly schema?: { readonly fields?: readonly Field[] } }
    if (!answer.ok) return undefined
    const columns = Object.fromEntries((body.schema?.fields ?? []).map((field) => [field.name, typeOf(field)]))
    const found = { known: { names: [path, path.slice(1)], columns }, key: JSON.stringify(columns) }
    tables.set(name, found)
    return found
  }

  // `bare`: names without a dataset that were asked for, which are of the one that the query has as its own.
  const ask = async (statement: Statement, seen: Seen, bare: readonly string[] = []): Promise<string | undefined> => {
    const home = homeOf(seen)
    const paths = bare.map((name) => [seen.project, home ?? '', name])
    const names = [...namesIn(statement.tokens, seen.project, datasets), ...paths]
    const found = await Promise.all(names.map(lookUp))
    const parameters = parametersOf(seen.job?.parameters ?? [])
    const key = JSON.stringify([shapeOf(statement.tokens), found.map((one) => one?.key), [...parameters], bare])
    const verdict =
      verdicts.get(key) ??
      google.refuses(
        statement.text,
        found.flatMap((one) => (one ? [withBare(one.known, bare)] : [])),
        { parameters, functionsIn: functionHomes.flatMap((one) => [[one], [seen.project, one]]) },
      )
    if (!verdicts.has(key)) {
      verdicts.set(key, verdict)
      if ((await verdict) === undefined) accepted += 1
    }
    const said = await verdict
    const missing = /^Table not found: (\w+)(?: |;|$)/.exec(said ?? '')?.[1]
    if (missing !== undefined && home !== undefined && !bare.includes(missing))
      return ask(statement, seen, [...bare, missing])
    // What is not there is for the stand-in to say.
    if (said !== undefined && /^(?:Table|Dataset|Catalog) not found/i.test(said) && found.includes(undefined))
      return undefined
    return said
  }

  const judge = async (seen: Seen): Promise<Fault | undefined> => {
    forget(seen, tables, datasets)
    const query = seen.job?.query
    if (query === undefined) return undefined
    for (const statement of statementsOf(query)) {
      if (ofTheService.test(statement.text)) continue
      const said = await ask(statement, seen)
      // A change of the relation may have gone unnoticed.
      if (said === undefined) continue
      for (const path of namesIn(statement.tokens, seen.project, datasets)) tables.delete(path.join('.'))
      const again = await ask(statement, seen)
      if (again === undefined) continue
      const message = placed(again, query, statement.start)
      refused.push({ statement: statement.text, said: message, labels: seen.job?.labels ?? {} })
      if (how === 'strict') return { status: 400, reason: 'invalidQuery', message }
    }
    return undefined
  }

  return {
    hook: judge,
    refused: () => refused,
    accepted: () => accepted,
    close: releaseGoogle,
  }
}

export const homeOf = ({ body }: Seen): string | undefined => {
  const { configuration } = (body ?? {}) as {
    readonly configuration?: { readonly query?: { readonly defaultDataset?: { readonly datasetId?: string } } }
  }
  return configuration?.query?.defaultDataset?.datasetId
}

const withBare = ({ names, columns }: Known, bare: readonly string[]): Known => {
  const [name = ''] = names[0]?.slice(-1) ?? []
  return { names: bare.includes(name) ? [...names, [name]] : names, columns }
}

export interface Statement {
  readonly text: string
  readonly tokens: readonly Token[]
  /** Where it starts in the whole text. */
  readonly start: number
}

/** The statements of a script. */
export const statementsOf = (query: string): Statement[] => {
  const found: Statement[] = []
  let own: Token[] = []
  const end = (): void => {
    const [first] = own
    const last = own.at(-1)
    if (first && last) {
      const text = query.slice(first.start, last.start + last.text.length)
      found.push({ text, tokens: own, start: first.start })
    }
    own = []
  }
  for (const token of tokensOf(query)) {
    if (token.kind === 'mark' && token.text === ';') end()
    else own.push(token)
  }
  end()
  return found
}

const unquoted = (token: Token): string => token.text.slice(1, -1).replaceAll(/\\(.)/g, '$1')

const functionNames = new Set(portableFunctions.map(({ name }) => name))

const isWord = (token: Token | undefined): boolean =>
  token?.kind === 'quoted' || (token?.kind === 'other' && /^[\p{L}_]/u.test(token.text))

/** Full names of relations, once each: those that start with the project, and those of a dataset of its. */
export const namesIn = (tokens: readonly Token[], project: string, datasets: ReadonlySet<string>): string[][] => {
  const found = new Map<string, string[]>()
  for (let at = 0; at < tokens.length; at++) {
    const parts: string[] = []
    for (let token = tokens[at]; token && isWord(token); token = tokens[at]) {
      const part = token.kind === 'quoted' ? unquoted(token) : token.text
      parts.push(...(parts.length === 0 && token.kind === 'quoted' ? part.split('.') : [part]))
      if (tokens[at + 1]?.text !== '.') break
      at += 2
    }
    const path = parts[0] !== project && parts.length > 1 && datasets.has(parts[0] ?? '') ? [project, ...parts] : parts
    const isFunction = functionNames.has(path[2] ?? '') && tokens[at + 1]?.text === '('
    if (path[0] === project && path.length >= 3 && !isFunction) found.set(path.slice(0, 3).join('.'), path.slice(0, 3))
  }
  return [...found.values()]
}

/** A statement without its literals and without the random parts of names. */
const shapeOf = (tokens: readonly Token[]): string =>
  tokens
    .map(({ kind, text }) => {
      if (kind === 'string') return `''`
      if (kind === 'quoted') return text.replaceAll(/[0-9a-f]{10,}/g, '0')
      return /^\d/.test(text) ? '0' : text
    })
    .join(' ')

// Procedures that the service brings, which the analyzer does not know.
const ofTheService = /^call BQ\.(?:ABORT_SESSION|ABORT_TRANSACTION)\(/i

const ddl = /^(?:create|drop|alter|truncate|undrop)$/i

// Relations that a request may change the columns of.
const forget = (seen: Seen, tables: Map<string, Found>, datasets: ReadonlySet<string>): void => {
  const { job, method, path, project } = seen
  const named: string[][] = []
  if (job?.query !== undefined) {
    for (const { tokens } of statementsOf(job.query)) {
      if (ddl.test(tokens[0]?.text ?? '')) named.push(...namesIn(tokens, project, datasets))
    }
  }
  const target = job?.load?.['destinationTable'] as { readonly datasetId: string; readonly tableId: string } | undefined
  if (target) named.push([project, target.datasetId, target.tableId])
  const [, dataset, table] = /^\/datasets\/([^/]+)\/tables\/([^/]+)/.exec(path) ?? []
  if (method !== 'GET' && dataset !== undefined && table !== undefined) named.push([project, dataset, table])
  for (const one of named) tables.delete(one.join('.'))
}

const words: Readonly<Record<string, string>> = { INTEGER: 'INT64', FLOAT: 'FLOAT64', BOOLEAN: 'BOOL' }

export const typeOf = (field: Field): GoogleType => {
  const single =
    field.type === 'RECORD' || field.type === 'STRUCT'
      ? { struct: (field.fields ?? []).map((inner) => [inner.name, typeOf(inner)] as const) }
      : (words[field.type] ?? field.type)
  return field.mode === 'REPEATED' ? { array: single } : single
}

export const parametersOf = (sent: readonly ParameterSent[]): ReadonlyMap<string, GoogleType> =>
  new Map(
    sent.flatMap(({ name, parameterType }) =>
      name === undefined || !parameterType ? [] : [[name, typeOfParameter(parameterType)] as const],
    ),
  )

const typeOfParameter = ({ type, arrayType, structTypes }: ParameterType): GoogleType => {
  if (arrayType) return { array: typeOfParameter(arrayType) }
  if (structTypes) return { struct: structTypes.map((inner) => [inner.name, typeOfParameter(inner.type)] as const) }
  return words[type] ?? type
}

// `… [at 2:13]` of one statement, as `… at [5:13]` of the whole text.
const placed = (said: string, query: string, start: number): string =>
  said.replace(/\s*\[at (\d+):(\d+)\]\s*$/, (_, line: string, column: string) => {
    const before = query.slice(0, start).split('\n')
    const first = Number(line) === 1 ? Array.from(before.at(-1) ?? '').length : 0
    return ` at [${Number(line) + before.length - 1}:${Number(column) + first}]`
  })

// One program for all who ask at the same time.
let google: Promise<Google> | undefined
let users = 0

const sharedGoogle = (): Promise<Google> => {
  users += 1
  return (google ??= openGoogle())
}

const releaseGoogle = async (): Promise<void> => {
  users -= 1
  const open = google
  if (users > 0 || !open) return
  google = undefined
  await (await open).close()
}
