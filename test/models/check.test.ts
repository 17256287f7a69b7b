// The engine prepares every model over stand-ins: what it refuses is placed in the analyst's file.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatPlace } from '../../src/core/errors.ts'
import { checkModels, type CheckResult } from '../../src/models/check.ts'
import type { Column, Warehouse } from '../../src/warehouse/warehouse.ts'
import { compiled, inMemory } from './project.ts'

let scratch: Warehouse
beforeEach(async () => {
  scratch = await inMemory()
})
afterEach(() => scratch.close())

const text = (name: string): Column => ({ name, type: 'VARCHAR' })
const raw = new Map([
  ['shop_customers', [text('id'), text('email'), text('at'), { name: 'amount', type: 'DECIMAL(18,2)' }]],
])

const check = async (files: Readonly<Record<string, string>>, streams = raw): Promise<CheckResult> =>
  checkModels(await compiled(files, ['shop_customers', 'shop_orders'], scratch), {
    scratch,
    raw: streams,
    instant: '2026-11-01T23:00:00Z',
  })
const said = async (files: Readonly<Record<string, string>>): Promise<string[]> =>
  (await check(files)).problems.map((p) => `${p.place ? formatPlace(p.place) : '?'} ${p.code}: ${p.message}`)

describe('checking models by the engine', () => {
  it('prepares each over the columns of what it reads', async () => {
    const { problems, columns, notes } = await check({
      'a.sql':
        '/*\nkind: table\n*/\nselect *, null as nothing, current_date as today from raw.shop_customers where cdp.normalize_email(email) is not null',
      'b.sql': 'select a.amount * 2 as twice, a.nothing as same, a.* from a join a as other using (id)',
      'c.sql':
        '/* kind: segment */ select id as person_id, r.* from b left join cdp.person_redirects r on r.old_id = b.id',
    })
    expect(problems).toEqual([])
    expect(notes).toEqual([])
    expect(columns.get('b')).toContainEqual({ name: 'twice', type: 'DECIMAL(18,2)' })
    expect(columns.get('c')?.map((column) => column.name)).toEqual([
      'person_id',
      'graph',
      'old_id',
      'person_id_1',
      'run_id',
    ])
  })

  it('places a refusal at line and column of the file, whatever names were put in before it', async () => {
    expect(
      await said({
        'a.sql': 'select 1 as x',
        'm.sql': "/*\nkind: table\n*/\nselect 'Nguyễn 😀' as n,\n  now() as t, a.x, a.nothere, 'Đ' as d\nfrom a",
      }),
    ).toEqual([
      expect.stringMatching(
        /^models\/m\.sql:5:20 MODEL_REFUSED: duckdb refuses m: [^\n]*"nothere"[\s\S]*\n  now\(\) as t, a\.x, a\.nothere, 'Đ' as d\n {19}\^$/,
      ),
    ])
  })

  it('finds what the parser accepts and the engine refuses', async () => {
    const problems = await said({
      'a.sql': 'select\n  at as x from raw.shop_customers',
      'b.sql': 'select 1 as x,\n  (select end from raw.shop_customers c) as y from raw.shop_customers',
      'c.sql': 'select `email` from raw.shop_customers',
      'd.sql': 'select raw.shop_customers.email, nosuchfunction(email) from raw.shop_customers',
    })
    expect(problems.map((problem) => problem.split(': ')[0])).toEqual([
      'models/a.sql:2:6 MODEL_REFUSED',
      'models/b.sql:2:11 MODEL_REFUSED',
      'models/c.sql:1:14 MODEL_REFUSED',
      'models/d.sql:1:34 MODEL_REFUSED',
    ])
  })

  it('prepares what only the engine can read', async () => {
    const { problems, columns, notes } = await check({
      'a.sql':
        '/*\nkind: table\nreads: [raw.shop_customers]\n*/\npivot raw.shop_customers on email in (a, b) using sum(amount)',
      'b.sql': '/*\nkind: table\nreads: [raw.shop_customers]\n*/\npivot raw.shop_customers on email using sum(amount)',
      'c.sql':
        'select [x for x in [1, 2] if x > 1] as l from raw.shop_customers a asof join raw.shop_customers b on a.at >= b.at',
    })
    expect(problems.map((problem) => problem.message)).toEqual([])
    expect(columns.get('a')?.map((column) => column.name)).toEqual(['id', 'at', 'a', 'b'])
    expect(notes.map((note) => note.message)).toEqual(['b was not prepared: the columns of b depend on its rows.'])
  })

  it('does not repeat a fault for what depends on it, and says what was not prepared', async () => {
    const { problems, notes } = await check({
      'a.sql': 'select nothere from raw.shop_customers',
      'b.sql': 'select * from a',
      'c.sql': 'select * from raw.shop_orders',
      'd.sql': 'select * from c',
    })
    expect(problems.map((problem) => problem.place?.file)).toEqual(['models/a.sql'])
    expect(notes.map((note) => note.message)).toEqual([
      'b was not prepared: a is wrong.',
      'c was not prepared: the columns of raw.shop_orders are not known before it has landed once.',
      'd was not prepared: the columns of raw.shop_orders are not known before it has landed once.',
    ])
  })

  it('finds the columns that a kind needs, and tests that name none', async () => {
    expect(
      await said({
        'a.sql': '/*\nkind: incremental\nkey: id\ncursor: seen_at\n*/\nselect id, at as seenat from raw.shop_customers',
        'b.sql': '/* kind: segment */\nselect id from raw.shop_customers',
        'm.sql': '/*\ntests:\n  - { unique: ids }\n*/\nselect id from raw.shop_customers',
      }),
    ).toEqual([
      expect.stringContaining('models/a.sql:6'),
      'models/b.sql:2 MODEL_COLUMN: b gives no column person_id, which its header (kind: segment) needs.',
      expect.stringMatching(/^models\/m\.sql:3 TEST_BROKEN: The test unique\(ids\) of m could not be run: [^\n]*ids/),
    ])
  })
})
