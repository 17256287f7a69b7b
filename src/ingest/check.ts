// Which staged rows are not landed: those that break a promise or have no key (they go to quarantine), and older versions of a key
// within the same load.
import { literal, quote } from '../warehouse/duckdb/text.ts'
import type { ColumnPlan } from './columns.ts'
import type { Stage, Work } from './stage.ts'
import { cast, promiseKept, readerType } from './types.ts'

export interface Checked {
  /** `_cdp_row`, `column_name`, `reason` of the rows for quarantine. Quoted; undefined when there are none. */
  readonly bad: string | undefined
  readonly badRows: number
  /** Rows among them of which not even the key is known. */
  readonly withoutKey: number
  /** Rows of which the same load has a newer version. */
  readonly superseded: number
  /** A condition on the staged rows `s` that are to be landed. */
  readonly landed: string
}

export interface Rules {
  readonly keys: readonly ColumnPlan[]
  readonly cursor: ColumnPlan | undefined
  readonly timeZone: string
}

/** The value of a planned column, typed: an expression over the staged rows `s`. */
export const valueOf = ({ staged, type, declared }: ColumnPlan, timeZone: string): string => {
  if (!staged) return `cast(null as ${readerType(type)})`
  if (staged.typed === type) return `s.${quote(staged.name)}`
  if (type === 'text') return staged.unquoted ?? staged.text
  // A guessed instant has been found to be canonical in every row.
  if (type === 'timestamp' && !declared && staged.evidence.kind !== 'told') {
    return `try_cast(${staged.text} as timestamptz)`
  }
  return cast(staged.text, type, timeZone)
}

export const checkRows = async (
  work: Work,
  stage: Stage,
  plans: readonly ColumnPlan[],
  rules: Rules,
): Promise<Checked> => {
  const faults = [...missingKeys(rules), ...brokenPromises(plans)]
  const { bad, badRows, withoutKey } = await findBad(work, stage, faults)
  const good = bad === undefined ? 'true' : `${stage.row} not in (select _cdp_row from ${bad})`
  const older = await findSuperseded(work, stage, rules, good)
  const landed = older === undefined ? good : `${good} and ${stage.row} not in (select _cdp_row from ${older.table})`
  return { bad, badRows, withoutKey, superseded: older?.rows ?? 0, landed }
}

interface Fault {
  readonly condition: string
  readonly column: string
  /** An expression. */
  readonly reason: string
  readonly isKey: boolean
}

const missingKeys = ({ keys, timeZone }: Rules): Fault[] =>
  keys.map((key) => ({
    condition: `${valueOf(key, timeZone)} is null`,
    column: key.name,
    reason: `'the key is empty'`,
    isKey: true,
  }))

// An empty text says nothing that a number or date could lose: it is null there.
const brokenPromises = (plans: readonly ColumnPlan[]): Fault[] =>
  plans.flatMap(({ staged, declared, type, name }) => {
    if (!declared || !staged || staged.typed === type || type === 'text') return []
    const { text } = staged
    return {
      condition: `${text} <> '' and not coalesce(${promiseKept(text, type)}, false)`,
      column: name,
      reason: `'"' || left(${text}, 80) || ${literal(`" is not ${article(type)}`)}`,
      isKey: false,
    }
  })

const article = (type: string): string => (/^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`)

/** Looks once, and keeps rows only when there are any. */
const findBad = async (
  work: Work,
  stage: Stage,
  faults: readonly Fault[],
): Promise<Pick<Checked, 'bad' | 'badRows' | 'withoutKey'>> => {
  const none = { bad: undefined, badRows: 0, withoutKey: 0 }
  if (faults.length === 0) return none
  const anyOf = (some: readonly Fault[]): string =>
    some.map(({ condition }) => `(${condition})`).join(' or ') || 'false'
  const [counted] = await work.reader.all<{ bad: number; keys: number }>(
    `select count(*) filter (${anyOf(faults)}) as bad, count(*) filter (${anyOf(faults.filter((f) => f.isKey))}) as keys
      from ${stage.table} s`,
  )
  if (!counted || counted.bad === 0) return none
  const bad = work.temp('bad')
  const first = (say: (fault: Fault) => string): string =>
    `case ${faults.map((fault) => `when ${fault.condition} then ${say(fault)}`).join(' ')} end`
  await work.reader.run(
    `create temp table ${bad} as select ${stage.row} as _cdp_row, ${first((f) => literal(f.column))} as column_name,
      ${first((f) => f.reason)} as reason from ${stage.table} s where ${anyOf(faults)}`,
  )
  return { bad, badRows: counted.bad, withoutKey: counted.keys }
}

/** By key the newest stays: the highest cursor, else the last in the order of files. Without a repeated key it costs one aggregate. */
const findSuperseded = async (
  work: Work,
  stage: Stage,
  { keys, cursor, timeZone }: Rules,
  good: string,
): Promise<{ readonly table: string; readonly rows: number } | undefined> => {
  if (keys.length === 0) return undefined
  const { reader } = work
  const repeated = work.temp('repeated')
  const values = keys.map((key, at) => `${valueOf(key, timeZone)} as k${at}`)
  await reader.run(
    `create temp table ${repeated} as select ${values.join(', ')} from ${stage.table} s where ${good} group by all having count(*) > 1`,
  )
  const [found] = await reader.all<{ n: number }>(`select count(*) as n from ${repeated}`)
  if (found?.n === 0) return undefined
  const table = work.temp('older')
  const on = keys.map((key, at) => `r.k${at} = ${valueOf(key, timeZone)}`).join(' and ')
  const order = [
    ...(cursor ? [`${valueOf(cursor, timeZone)} desc nulls last`] : []),
    's._cdp_file desc',
    `${stage.row} desc`,
  ]
  await reader.run(
    `create temp table ${table} as select _cdp_row from (
        select ${stage.row} as _cdp_row, row_number() over (partition by ${keys.map((_, at) => `r.k${at}`).join(', ')} order by ${order.join(', ')}) as place
        from ${stage.table} s join ${repeated} r on ${on} where ${good})
      where place > 1`,
  )
  const [older] = await reader.all<{ n: number }>(`select count(*) as n from ${table}`)
  return { table, rows: older?.n ?? 0 }
}
