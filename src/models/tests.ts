// Runs the tests of a model: each a SELECT that must return no rows. What fails is kept in cdp.test_failures until the next run of the test.
import { wholeRow } from './content.ts'
import { CdpError, hasCode, reasonOf } from '../core/errors.ts'
import {
  render,
  type BuildContext,
  type CompiledModel,
  type CompiledTest,
  type Severity,
  type Warehouse,
} from './model.ts'

export interface TestFailure {
  readonly test: string
  readonly severity: Severity
  /** How many rows failed; at most `keptRows` of them are kept. */
  readonly rows: number
}

export const keptRows = 100

/** The tests that fail, in their order. A test that the engine refuses is a TEST_BROKEN error. */
export const runTests = async (
  model: CompiledModel,
  context: Pick<BuildContext, 'warehouse' | 'runId' | 'instant'>,
): Promise<readonly TestFailure[]> => {
  if (model.tests.length === 0) return []
  const { warehouse, runId, instant } = context
  const tests = model.tests.map((test) => ({ ...test, select: render(test.sql, warehouse, instant) }))
  const counts = await countAll(tests, context)
  const failed = tests.map((test, at) => ({ ...test, rows: counts[at] ?? 0 })).filter((test) => test.rows > 0)
  const table = warehouse.name({ schema: 'cdp', name: 'test_failures' })
  const literal = (text: string): string => warehouse.literal(text)
  const forget = `delete from ${table} where model = ${literal(model.name)}`
  if (failed.length === 0) {
    await warehouse.run(forget)
    return []
  }
  const inserts: string[] = []
  for (const test of failed) {
    const facts = [runId, model.name, test.name, test.severity].map(literal).join(', ')
    inserts.push(
      `insert into ${table} (run_id, model, test, severity, row_number, failing_row)
       select ${facts}, row_number() over (order by row_text), ${warehouse.dialect.json.of('row_text')}
       from (${await rowTexts(warehouse, test.select)}) as kept`,
    )
  }
  await warehouse.transaction(async () => {
    await warehouse.run(forget)
    for (const insert of inserts) await warehouse.run(insert)
  })
  return failed.map(({ name, severity, rows }) => ({ test: name, severity, rows }))
}

// The first rows in the order of their texts as JSON: on every engine the same rows, in the same words.
const rowTexts = async (warehouse: Warehouse, select: string): Promise<string> => {
  const columns = await warehouse.describe(`select * from (${select}\n) as failing`)
  const { values } = warehouse.dialect
  const members = columns.map(({ name, type }) => {
    const column = `${wholeRow}.${warehouse.quote(name)}`
    const unsendable = values.isUnsendable(column, type)
    const json = values.json(column, type)
    const value = unsendable === undefined ? json : `case when not ${unsendable} then ${json} end`
    return `${warehouse.literal(`${JSON.stringify(name)}:`)} || coalesce(${value}, 'null')`
  })
  const text = `'{' || ${warehouse.dialect.joined(`','`, members)} || '}'`
  return `select ${text} as row_text from (select * from (${select}\n) as failing) as ${wholeRow} order by row_text limit ${keptRows}`
}

type Selected = CompiledTest & { readonly select: string }

// One statement for all of them; only when that is refused they are asked one by one, to name the one at fault.
const countAll = async (
  tests: readonly Selected[],
  { warehouse }: Pick<BuildContext, 'warehouse'>,
): Promise<number[]> => {
  const count = (test: Selected, at: number): string =>
    `select ${at} as test, count(*) as n from (${test.select}\n) as t`
  try {
    const rows = await warehouse.all<{ test: number; n: number }>(tests.map(count).join('\nunion all '))
    const found = new Map(rows.map((row) => [row.test, row.n]))
    return tests.map((_, at) => found.get(at) ?? 0)
  } catch (thrown) {
    for (const test of tests) {
      await warehouse.all(count(test, 0)).catch((cause: unknown) => {
        throw brokenTest(test, cause)
      })
    }
    throw thrown
  }
}

export const brokenTest = (test: CompiledTest, cause: unknown): CdpError =>
  new CdpError(
    'TEST_BROKEN',
    { test: test.name, model: test.model, reason: engineReason(cause) },
    { place: { file: test.file, line: test.line }, cause },
  )

/** What the engine said, without the statement. */
export const engineReason = (thrown: unknown): string =>
  hasCode(thrown, 'QUERY_FAILED') ? thrown.args.reason : reasonOf(thrown)
