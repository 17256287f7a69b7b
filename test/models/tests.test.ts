// Tests of models run against real rows: what fails, what is kept of it, what a null passes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Warehouse } from '../../src/models/model.ts'
import { runTests } from '../../src/models/tests.ts'
import { build, compiled, contextOf, inMemory, rowsOf } from './project.ts'

let warehouse: Warehouse
beforeEach(async () => {
  warehouse = await inMemory()
})
afterEach(() => warehouse.close())

/** Builds everything in order and runs the tests of the last model. */
const run = async (
  files: Readonly<Record<string, string>>,
  runId = 'run-1',
): Promise<(readonly [string, string, number])[]> => {
  const models = await compiled(files)
  for (const model of models) await build(model, contextOf(warehouse))
  const last = models.at(-1)
  if (!last) throw new Error('no model')
  const failures = await runTests(last, contextOf(warehouse, { runId }))
  return failures.map(({ test, severity, rows }) => [test, severity, rows] as const)
}
const kept = (): Promise<unknown[][]> =>
  rowsOf(
    warehouse,
    'select model, test, severity, row_number, failing_row from cdp.test_failures order by test, row_number',
  )

const model = (rows: number): Record<string, string> => ({
  'm.sql': `/*\nkind: table\ntests: [{ not_null: a }]\n*/\nselect null as a, i from range(${rows}) t(i)`,
})

describe('tests of a model', () => {
  it('find the rows that fail and pass over nulls, but for not_null', async () => {
    const header = `/*
tests:
  - { unique: [a, b] }
  - { unique: c, severity: warn }
  - { not_null: [a, c] }
  - { accepted_values: { column: b, values: [x, "y's"] } }
  - { relationships: { column: c, to: other, field: id } }
  - { expression: c > 1 or a in (select id from other) }
*/
`
    const values =
      "(1, 'x', 1), (1, 'x', 2), (null, 'x', 3), (null, 'x', 3), (2, 'z', null), (3, null, null), (4, 'y''s', null)"
    const failures = await run({
      'other.sql': 'select * from (values (2), (3)) v(id)',
      'tests/none_bigger.sql': '/* severity: warn */\nselect m.c from m join other o on m.c > o.id;',
      'm.sql': `${header}select * from (values ${values}) v(a, b, c)`,
    })
    expect(failures).toEqual([
      ['unique(a, b)', 'error', 1],
      ['unique(c)', 'warn', 1],
      ['not_null(a)', 'error', 2],
      ['not_null(c)', 'error', 3],
      ['accepted_values(b)', 'error', 1],
      ['relationships(c -> other.id)', 'error', 1],
      ['expression(c > 1 or a in (select id from other))', 'error', 1],
      ['none_bigger', 'warn', 2],
    ])
    const rows = await kept()
    expect(rows).toContainEqual(['m', 'unique(a, b)', 'error', 1, '{"a":1,"b":"x","occurrences":2}'])
    expect(rows).toContainEqual(['m', 'relationships(c -> other.id)', 'error', 1, '{"a":1,"b":"x","c":1}'])
    expect(rows).toHaveLength(12)
  })

  it('keep at most 100 rows a test, count all, and replace those of the run before', async () => {
    expect(await run(model(250))).toEqual([['not_null(a)', 'error', 250]])
    expect(await kept()).toHaveLength(100)
    expect(await run(model(2), 'run-2')).toEqual([['not_null(a)', 'error', 2]])
    expect(await rowsOf(warehouse, 'select distinct run_id from cdp.test_failures')).toEqual([['run-2']])
    expect(await kept()).toHaveLength(2)
    expect(await run(model(0), 'run-3')).toEqual([])
    expect(await kept()).toEqual([])
  })

  it('that the engine refuses are named with their line', async () => {
    const files = { 'm.sql': '/*\ntests:\n  - { unique: a }\n  - { not_null: nothere }\n*/\nselect 1 as a' }
    await expect(run(files)).rejects.toMatchObject({
      code: 'TEST_BROKEN',
      args: { test: 'not_null(nothere)', model: 'm' },
      place: { file: 'models/m.sql', line: 4 },
    })
  })
})
