// The portable function library: what models and the engine's own SQL may call as `cdp.name(…)` on every warehouse.
// A function stands after those it calls, so the order of installation is the order here.
import { casts } from './casts.ts'
import { dates } from './dates.ts'
import type { FunctionTheme, PortableFunction, PortableType } from './function.ts'
import { hashing } from './hashing.ts'
import { junk } from './junk.ts'
import { names } from './names.ts'
import { nested } from './nested.ts'
import { numbers } from './numbers.ts'
import { phone } from './phone.ts'
import { text } from './text.ts'
import { values } from './values.ts'

export type { FunctionTheme, PortableFunction, PortableParameter, PortableType } from './function.ts'

export const functionThemes: readonly FunctionTheme[] = [
  values,
  text,
  names,
  junk,
  phone,
  casts,
  dates,
  numbers,
  nested,
  hashing,
]

export const portableFunctions: readonly PortableFunction[] = functionThemes.flatMap((theme) => theme.functions)

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const bigqueryTypes: Readonly<Record<PortableType, string>> = {
  any: 'any type',
  array: 'any type',
  text: 'STRING',
  'text array': 'ARRAY<STRING>',
  boolean: 'BOOL',
  integer: 'INT64',
  decimal: 'NUMERIC',
  double: 'FLOAT64',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
}

/** The statements that create or replace every function as a persistent SQL function; `dataset` is quoted and exists. */
export const bigqueryInstall = (dataset: string): string[] =>
  portableFunctions.flatMap(({ name, params, bigquery }) => {
    if (bigquery === undefined) return []
    const list = params.map((param) => `\`${param.name}\` ${bigqueryTypes[param.type]}`).join(', ')
    const body = bigquery.replaceAll(/\bcdp\.(?=[a-z])/g, `${dataset}.`)
    return [`create or replace function ${dataset}.\`${name}\`(${list}) as (${body})`]
  })

/** The statements that create or replace every function as a DuckDB macro in a schema that exists. */
export const duckdbInstall = (schema = 'cdp'): string[] =>
  portableFunctions.map(({ name, params, duckdb }) => {
    const body = schema === 'cdp' ? duckdb : duckdb.replaceAll(/\bcdp\.(?=[a-z])/g, `${quoted(schema)}.`)
    const list = params.map((param) => quoted(param.name)).join(', ')
    return `create or replace macro ${quoted(schema)}.${quoted(name)}(${list}) as ${body}`
  })
