// Statements, streams and transactions.
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import type { Batch, Warehouse } from '../warehouse/warehouse.ts'
import { count, numbers, onOne, one, raw, refusal, type WarehouseCase } from './warehouse-harness.ts'

const changed: WarehouseCase = onOne('a statement tells how many rows it changed', async (w) => {
  const t = w.name(await numbers(w, 't', 4))
  deepEqual(await w.run(`insert into ${t} select n from ${t}`), { changed: 16 })
  deepEqual(await w.run(`update ${t} set n = n + 1 where n >= 8`), { changed: 16 })
  deepEqual(await w.run(`delete from ${t} where n < 3`), { changed: 6 })
  deepEqual(await w.run(`create table ${w.name(raw('u'))} (a ${w.typeName('text')})`), { changed: 0 })
})

const described: WarehouseCase = onOne('describe gives the columns and executes nothing', async (w) => {
  const t = w.name(await numbers(w, 't', 10))
  const columns = await w.describe(
    `select n, cast(1 as ${w.typeName('decimal(18,2)')}) as ${w.quote('a b')}, current_date as d from ${t}`,
  )
  deepEqual(columns, [
    { name: 'n', type: w.typeName('integer') },
    { name: 'a b', type: w.typeName('decimal(18,2)') },
    { name: 'd', type: w.typeName('date') },
  ])
  // Executed, this would fail in its last row.
  await w.describe(`select cast(case when n = 1023 then 'x' else '1' end as ${w.typeName('integer')}) as v from ${t}`)
  await refusal('QUERY_FAILED', w.describe(`select no_such_column from ${t}`))
  await refusal('QUERY_FAILED', w.describe('selekt 1'))
})

const rowsOf = (batch: Batch): unknown[] => Array.from({ length: batch.rowCount }, (_, row) => batch.values[0]?.[row])

const streamed: WarehouseCase = onOne('a stream gives every row once, in columns', async (w) => {
  const t = w.name(await numbers(w, 't', 14))
  const seen: unknown[] = []
  for await (const batch of w.stream({
    sql: `select n, n * 2 as m from ${t} where n >= $1 order by n`,
    parameters: [10],
  })) {
    deepEqual(
      batch.columns.map((column) => column.name),
      ['n', 'm'],
    )
    ok(batch.values.length === 2 && batch.values.every((column) => column.length === batch.rowCount))
    seen.push(...rowsOf(batch))
  }
  deepEqual(
    seen,
    Array.from({ length: 2 ** 14 - 10 }, (_, at) => at + 10),
  )
})

// The row that cannot be read lies near the end.
const failingLate = (w: Warehouse, t: string): string =>
  `select n,\n cast(case when n = 2000000 then 'x' else '1' end as ${w.typeName('integer')}) as v from ${t}`

const drain = async (w: Warehouse, statement: string): Promise<number> => {
  let total = 0
  for await (const batch of w.stream(statement)) total += batch.rowCount
  return total
}

const lazy: WarehouseCase = onOne('a stream does not read ahead', async (w) => {
  // Whoever stops before the row that cannot be read never meets it.
  const sql = failingLate(w, w.name(await numbers(w, 't', 21)))
  for await (const batch of w.stream(sql)) {
    ok(batch.rowCount > 0)
    break
  }
  await rejects(w.all(sql))
})

const complete: WarehouseCase = onOne('a stream that fails late throws, and never looks complete', async (w) => {
  const t = await numbers(w, 't', 21)
  const error = await refusal('QUERY_FAILED', drain(w, failingLate(w, w.name(t))))
  match(error.message, /'x'|"x"/)
  const failing = w.transaction(async () => {
    await w.run(`insert into ${w.name(t)} values (1)`)
    return drain(w, failingLate(w, w.name(t)))
  })
  await refusal('QUERY_FAILED', failing)
  equal(await count(w, t), 2 ** 21)
})

const beside: WarehouseCase = onOne('a stream stays whole while other statements run', async (w) => {
  const t = w.name(await numbers(w, 't', 15))
  const log = w.name(raw('log'))
  await w.run(`create table ${log} (n ${w.typeName('integer')})`)
  let total = 0
  for await (const batch of w.stream(`select n from ${t}`)) {
    total += batch.rowCount
    await w.run({ sql: `insert into ${log} values ($1)`, parameters: [batch.rowCount] })
  }
  equal(total, 2 ** 15)
  equal((await one(w, `select sum(n) as n from ${log}`))['n'], 2 ** 15)
})

const replaced: WarehouseCase = onOne('a stream is not disturbed when its relation is replaced', async (w) => {
  const t = w.name(await numbers(w, 't', 15))
  let total = 0
  for await (const batch of w.stream(`select n from ${t}`)) {
    if (total === 0) await w.run(`create or replace table ${t} as select 1 as other`)
    total += batch.rowCount
  }
  equal(total, 2 ** 15)
})

const fails = async (w: Warehouse, t: string): Promise<void> => {
  await w.run(`create or replace table ${t} as select 'half' as note`)
  await w.run(`insert into ${t} values ('more')`)
  await w.run(`select cast(note as ${w.typeName('integer')}) as v from ${t}`)
}

const replacing: WarehouseCase = onOne(
  'a transaction that fails after it replaced a relation leaves the last good one',
  async (w) => {
    const t = w.name(raw('t'))
    await w.run(`create table ${t} as select 'good' as note`)
    await refusal(
      'QUERY_FAILED',
      w.transaction(() => fails(w, t)),
    )
    deepEqual(await w.all(`select * from ${t}`), [{ note: 'good' }])
  },
  'transactionalDdl',
)

const replacement: WarehouseCase = onOne(
  'a statement that fails while it replaces a relation leaves the last good one',
  async (w) => {
    const t = w.name(await numbers(w, 't', 3))
    const late = `select n, cast(case when n = 7 then 'x' else '1' end as ${w.typeName('integer')}) as v from ${t}`
    await refusal('QUERY_FAILED', w.run(`create or replace table ${t} as ${late}`))
    await refusal('QUERY_FAILED', w.run(`insert into ${t} select v from (${late}) as s`))
    await refusal(
      'QUERY_FAILED',
      w.load(raw('t'), ['n'], `select cast(case when range = 7 then 'x' else '1' end as bigint) from range(8)`),
    )
    deepEqual(await w.all(`select count(*) as n, sum(n) as total from ${t}`), [{ n: 8, total: 28 }])
  },
)

const atomic: WarehouseCase = onOne('a failed transaction leaves every row and a usable connection', async (w) => {
  const t = w.name(raw('t'))
  await w.run(`create table ${t} as select 'good' as note`)
  await refusal(
    'QUERY_FAILED',
    w.transaction(async () => {
      await w.run(`insert into ${t} values ('half')`)
      await w.run(`update ${t} set note = 'changed' where true`)
      await w.all(`select cast(note as ${w.typeName('integer')}) as v from ${t}`)
    }),
  )
  deepEqual(await w.all(`select * from ${t}`), [{ note: 'good' }])
  await rejects(
    w.transaction(async () => {
      await w.run(`insert into ${t} values ('half')`)
      throw new TypeError('of the caller')
    }),
    TypeError,
  )
  deepEqual(await w.all(`select * from ${t}`), [{ note: 'good' }])
  equal(await w.transaction(async () => (await w.run(`insert into ${t} values ('kept')`)).changed), 1)
  equal(await count(w, raw('t')), 2)
  equal(await w.transaction(() => Promise.resolve('nothing was run')), 'nothing was run')
})

const nestedOnes: WarehouseCase = onOne('a nested transaction is part of the outer one', async (w) => {
  const t = w.name(await numbers(w, 't', 0))
  const add = (value: number): Promise<unknown> => w.run(`insert into ${t} values (${value})`)
  await w.transaction(async () => {
    await add(1)
    await w.transaction(() => add(2))
    equal((await one(w, `select count(*) as n from ${t}`))['n'], 3)
  })
  await rejects(
    w.transaction(async () => {
      await w.transaction(() => add(3))
      throw new TypeError('outer')
    }),
    TypeError,
  )
  // Half of the inner one must not be kept because the outer one caught its error.
  await rejects(
    w.transaction(async () => {
      await w
        .transaction(async () => {
          await add(4)
          throw new RangeError('inner')
        })
        .catch(() => undefined)
    }),
    RangeError,
  )
  equal(await count(w, raw('t')), 3)
})

const swallowed: WarehouseCase = onOne(
  'a transaction whose work hides a failed statement is not reported as committed',
  async (w) => {
    const t = w.name(await numbers(w, 't', 0))
    const work = async (): Promise<void> => {
      await w.run(`insert into ${t} values (1)`)
      await w
        .run(`select cast('x' || cast(n as ${w.typeName('text')}) as ${w.typeName('integer')}) as v from ${t}`)
        .catch(() => undefined)
    }
    await refusal('QUERY_FAILED', w.transaction(work))
    equal(await count(w, raw('t')), 1)
  },
)

const apart: WarehouseCase = onOne(
  'a statement of another task is no part of a transaction, and not rolled back with it',
  async (w) => {
    const t = w.name(await numbers(w, 't', 0))
    const begun = new EventEmitter()
    const failing = w.transaction(async () => {
      await w.run(`insert into ${t} values (1)`)
      begun.emit('begun')
      await new Promise((done) => setImmediate(done))
      throw new TypeError('rolled back')
    })
    await once(begun, 'begun')
    const outside = w.run(`insert into ${t} values (2)`)
    await rejects(failing, TypeError)
    await outside
    deepEqual(await w.all(`select n from ${t} order by n`), [{ n: 0 }, { n: 2 }])
  },
)

const together: WarehouseCase = onOne('statements of one transaction may be started together', async (w) => {
  const t = w.name(await numbers(w, 't', 0))
  const values = Array.from({ length: 40 }, (_, at) => at + 1)
  await w.transaction(async () => {
    await Promise.all(values.map((value) => w.run({ sql: `insert into ${t} select $1`, parameters: [value] })))
  })
  const read = await Promise.all(
    values.map((value) => w.all({ sql: `select n from ${t} where n = $1`, parameters: [value] })),
  )
  deepEqual(
    read,
    values.map((n) => [{ n }]),
  )
})

const inside: WarehouseCase = onOne(
  'a stream in a transaction sees its changes, and is not cut short by a statement',
  async (w) => {
    const t = w.name(await numbers(w, 't', 13))
    await w.transaction(async () => {
      await w.run(`insert into ${t} select n from ${t}`)
      let total = 0
      for await (const batch of w.stream(`select n from ${t}`)) total += batch.rowCount
      equal(total, 2 ** 14)
      for await (const batch of w.stream(`select n from ${t}`)) {
        ok(batch.rowCount > 0)
        await refusal('INTERNAL', w.all('select 1 as a'))
        break
      }
      equal((await one(w, `select count(*) as n from ${t}`))['n'], 2 ** 14)
    })
  },
)

const scratch: WarehouseCase = {
  title: 'a work table is seen by its own opening alone, also one that was opened to read, and is gone after it',
  run: async ({ open }) => {
    const first = await open()
    const work = { schema: 'scratch', name: 'scraps of a/b' } as const
    const ones = async (w: Warehouse): Promise<unknown> =>
      (await one(w, `select count(*) as n from ${w.name(work)}`))['n']
    await first.makeScratch(work.name, 'as select 1 as n union all select 2')
    await first.load(work, ['n'], 'select 3')
    equal(await ones(first), 3)
    await first.makeScratch(work.name, `(n ${first.typeName('integer')})`)
    equal(await ones(first), 0)
    for (const schema of ['raw', 'models', 'cdp'] as const) {
      ok((await first.relations(schema)).every(({ name }) => !name.includes('scraps')))
    }
    await first.close()
    const second = await open({ mode: 'read' })
    try {
      await refusal('QUERY_FAILED', ones(second))
      await second.makeScratch(work.name, 'as select 1 as n')
      equal(await ones(second), 1)
      await second.dropScratch(work.name)
      await refusal('QUERY_FAILED', ones(second))
    } finally {
      await second.close()
    }
  },
}

const inPlace: WarehouseCase = onOne('a table is put in the place of another in one step', async (w) => {
  const [t, stage] = [raw('t'), raw('t_new')]
  await w.run(`create table ${w.name(t)} as select 1 as n`)
  await w.run(`create table ${w.name(stage)} as select 2 as n, 'x' as other`)
  await w.replaceTable(t, stage)
  deepEqual(await w.all(`select * from ${w.name(t)}`), [{ n: 2, other: 'x' }])
  deepEqual(
    (await w.relations('raw')).map(({ name }) => name),
    ['t'],
  )
})

export const sessionCases: readonly WarehouseCase[] = [
  changed,
  described,
  streamed,
  lazy,
  complete,
  beside,
  replaced,
  replacing,
  replacement,
  atomic,
  nestedOnes,
  swallowed,
  apart,
  together,
  inside,
  scratch,
  inPlace,
]
