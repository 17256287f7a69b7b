// How often a macro mentions a parameter once every call in it is expanded. A macro is expanded where it is called, so
// mentions multiply when functions are nested, and an engine that plans a thousand copies of a pattern takes seconds.
import { portableFunctions, type PortableFunction } from '../../../src/warehouse/functions/index.ts'

const CALL = /cdp\.([a-z0-9_]+)\(/g

/** The names of the functions that a body calls. */
export const callsOf = ({ duckdb }: PortableFunction): string[] =>
  [...duckdb.matchAll(CALL)].map(([, name]) => name ?? '')

// The text of the arguments of the call that opens just before `from`, and where it closes.
const argumentsAt = (sql: string, from: number): { args: string[]; end: number } => {
  const args = ['']
  let depth = 1
  let at = from
  for (; depth > 0 && at < sql.length; at += 1) {
    const sign = sql[at] ?? ''
    if ('(['.includes(sign)) depth += 1
    if (')]'.includes(sign)) depth -= 1
    if (sign === ',' && depth === 1) args.push('')
    else if (depth > 0) args[args.length - 1] += sign
  }
  return { args, end: at }
}

const mentionsIn = (sql: string, param: string): number => {
  const call = /cdp\.([a-z0-9_]+)\(/.exec(sql)
  if (call === null) return [...sql.matchAll(new RegExp(String.raw`\b${param}\b`, 'g'))].length
  const { args, end } = argumentsAt(sql, call.index + call[0].length)
  const called = portableFunctions.find(({ name }) => name === call[1])
  const inside = args.map((arg, at) => mentionsIn(arg, param) * mentions(called, at))
  return (
    mentionsIn(sql.slice(0, call.index), param) +
    inside.reduce((sum, n) => sum + n, 0) +
    mentionsIn(sql.slice(end), param)
  )
}

/** How often the parameter in this place is mentioned by the fully expanded body. */
export const mentions = (of: PortableFunction | undefined, place: number): number =>
  of === undefined ? 0 : mentionsIn(of.duckdb.replaceAll(/'(?:[^']|'')*'/g, "''"), of.params[place]?.name ?? '')
