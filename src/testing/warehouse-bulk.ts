// What Kysely does not do: loads, unloads, merges, and the query builder itself over the same session.
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { kysely } from '../warehouse/kysely.ts'
import { insertRows, mergeStatements } from '../warehouse/statements.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { asKept, count, numbers, onOne, raw, refusal, type WarehouseCase } from './warehouse-harness.ts'

const table = async (w: Warehouse, name: string): Promise<string> => {
  const t = w.name(raw(name))
  const [text, integer] = [w.typeName('text'), w.typeName('integer')]
  await w.run(`create table ${t} (${w.quote('key 1')} ${text}, key2 ${integer}, v ${text})`)
  return t
}
const columns = ['key 1', 'key2', 'v']

const loads: WarehouseCase = onOne('load appends what the reader reads', async (w, { folder }) => {
  const t = await table(w, 't')
  const path = join(folder, `it's a file.csv`)
  await writeFile(path, 'a,1,"x, y"\nb,2,z\n')
  const select = `select column0, column1, column2 from read_csv(${w.reader.literal(path)}, header = false)`
  equal(await w.load(raw('t'), columns, select), 2)
  equal(await w.load(raw('t'), ['v'], `select 'only'`), 1)
  deepEqual(await w.all(`select * from ${t} order by v`), [
    { 'key 1': null, key2: null, v: 'only' },
    { 'key 1': 'a', key2: 1, v: 'x, y' },
    { 'key 1': 'b', key2: 2, v: 'z' },
  ])
  await refusal('QUERY_FAILED', w.load(raw('t'), ['v'], 'select no_such_column'))
})

const appended: WarehouseCase = onOne('append keeps every row, of every type, in the order of the calls', async (w) => {
  const types = ['integer', 'text', 'double', 'boolean', 'date', 'timestamp', 'json', 'bytes', 'decimal(18,2)'] as const
  const t = w.name(raw('appended'))
  await w.run(`create table ${t} (${types.map((type, at) => `c${at} ${w.typeName(type)}`).join(', ')})`)
  const full = {
    c0: 2n ** 60n,
    c1: `Đặng ' \\ "🎉"\n`,
    c2: -0.5,
    c3: false,
    c4: '1969-12-31',
    c5: '1969-12-31T23:59:59.999999Z',
    c6: '{"a":[1,"ü"]}',
    c7: Uint8Array.of(0, 255, 39),
    c8: '-12.10',
  }
  await w.append(raw('appended'), [])
  await w.append(raw('appended'), [full, { c0: -1, c5: new Date('2026-10-01T08:00:00.123Z'), c1: null }])
  await w.append(
    raw('appended'),
    Array.from({ length: 1500 }, (_, at) => ({ c0: at, c1: 'many' })),
  )
  const [first, second, ...rest] = await w.all(`select * from ${t} where c1 is null or c1 <> 'many' order by c0 desc`)
  deepEqual(
    { ...first, c7: first?.['c7'] instanceof Uint8Array ? [...first['c7']] : undefined },
    {
      ...full,
      c7: [0, 255, 39],
      c8: asKept(w, 'decimal(18,2)', '-12.10'),
    },
  )
  deepEqual([second?.['c0'], second?.['c1'], second?.['c5'], rest], [-1, null, '2026-10-01T08:00:00.123Z', []])
  equal(await count(w, raw('appended')), 1502)
  await refusal('QUERY_FAILED', w.append(raw('appended'), [{ c0: 1, no_such_column: 1 }]))
  await refusal('INTERNAL', w.append(raw('appended'), [{ c0: { a: 1 } }]))
  // As rows of any other origin they may be changed.
  equal((await w.run(`delete from ${t} where c1 = 'many'`)).changed, 1500)
})

const meanwhile: WarehouseCase = onOne('rows are appended while others are read', async (w) => {
  const relation = await numbers(w, 't', 15)
  let read = 0
  for await (const batch of w.stream(`select n from ${w.name(relation)}`)) {
    read += batch.rowCount
    await w.append(relation, [{ n: -read }])
    await w.load(relation, ['n'], `select ${-read - 1}`)
  }
  equal(read, 2 ** 15)
  const [found] = await w.all<{ n: number }>(`select count(*) as n from ${w.name(relation)} where n < 0`)
  ok((found?.n ?? 0) >= 2)
})

const staged: WarehouseCase = onOne('the reader keeps a temporary relation, and load takes it', async (w) => {
  await table(w, 't')
  const { reader } = w
  await reader.run(`create temp table staged as select range as n, 'v' || range as v from range(5000)`)
  deepEqual(await reader.run(`delete from staged where n >= 4000`), { changed: 1000 })
  equal(await w.load(raw('t'), ['key2', 'v'], 'select n, v from staged'), 4000)
  equal(await count(w, raw('t')), 4000)
  await reader.run('drop table staged')
})

const unloads: WarehouseCase = onOne(
  'unload writes the values that a stream gives, as NDJSON',
  async (w, { folder }) => {
    const path = join(folder, 'deeper', `it's.ndjson`)
    const cast = (text: string, type: Parameters<Warehouse['typeName']>[0]): string =>
      `cast(${w.literal(text)} as ${w.typeName(type)})`
    await w.run(`create table ${w.name(raw('documents'))} (j ${w.typeName('json')})`)
    await insertRows(w, raw('documents'), [{ j: '{"a":[1,2]}' }])
    const select = `select $1 as ${w.quote('its name')}, ${cast('1.10', 'decimal(18,2)')} as d, ${cast('9007199254740993', 'integer')} as i,
    ${cast('2026-10-01 08:00:00.5+00', 'timestamp')} as t, ${cast('2026-10-01', 'date')} as day, cast(null as ${w.typeName('text')}) as n,
    j, ${cast('1.5', 'double')} as f from ${w.name(raw('documents'))} -- a comment`
    equal(await w.unload({ sql: select, parameters: ['Đ "q"\n'] }, path), 1)
    const text = await readFile(path, 'utf8')
    match(text, /"i":\s*9007199254740993/)
    deepEqual(JSON.parse(text.replace('9007199254740993', '1')), {
      'its name': 'Đ "q"\n',
      d: asKept(w, 'decimal(18,2)', '1.10'),
      i: 1,
      t: '2026-10-01T08:00:00.5Z',
      day: '2026-10-01',
      n: null,
      j: { a: [1, 2] },
      f: 1.5,
    })
  },
)

const ordered: WarehouseCase = onOne(
  'unload keeps the order, and a failed one the file that was there',
  async (w, { folder }) => {
    const path = join(folder, 'out.ndjson')
    await insertRows(w, raw('o'), []) // nothing to do needs no relation
    const t = await table(w, 'o')
    await insertRows(
      w,
      raw('o'),
      Array.from({ length: 700 }, (_, at) => ({ 'key 1': `k${at}`, key2: 700 - at })),
    )
    equal(await w.unload(`select key2 from ${t} order by key2`, path), 700)
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
    deepEqual(
      lines.map((line) => JSON.parse(line) as unknown),
      Array.from({ length: 700 }, (_, at) => ({ key2: at + 1 })),
    )
    await refusal(
      'QUERY_FAILED',
      w.unload(`select cast(${w.quote('key 1')} as ${w.typeName('integer')}) as x from ${t}`, path),
    )
    equal((await readFile(path, 'utf8')).split('\n').length, 701)
    deepEqual(await readdir(folder), ['out.ndjson'])
    equal(await w.unload(`select key2 from ${t} where key2 < 0`, path), 0)
    equal(await readFile(path, 'utf8'), '')
  },
)

const merges: WarehouseCase = onOne(
  'a merge replaces rows by key, where null equals null, and adds the rest',
  async (w) => {
    const [target, source] = [await table(w, 'target'), await table(w, 'source')]
    await insertRows(w, raw('target'), [
      { 'key 1': 'a', key2: 1, v: 'old' },
      { 'key 1': null, key2: 2, v: 'old' },
      { 'key 1': 'c', key2: null, v: 'stays' },
    ])
    await insertRows(w, raw('source'), [
      { 'key 1': 'a', key2: 1, v: 'new' },
      { 'key 1': null, key2: 2, v: null },
      { 'key 1': `d'`, key2: 4, v: 'added' },
    ])
    const statements = mergeStatements(w, {
      target: raw('target'),
      source: raw('source'),
      columns,
      key: ['key 1', 'key2'],
    })
    const all = async (): Promise<void> => {
      for (const statement of statements) await w.run(statement)
    }
    await (statements.length > 1 ? w.transaction(all) : all())
    deepEqual(await w.all(`select * from ${target} order by ${w.quote('key 1')} nulls last`), [
      { 'key 1': 'a', key2: 1, v: 'new' },
      { 'key 1': 'c', key2: null, v: 'stays' },
      { 'key 1': `d'`, key2: 4, v: 'added' },
      { 'key 1': null, key2: 2, v: null },
    ])
    equal(await count(w, raw('source')), 3)
    ok(source)
  },
)

const lists: WarehouseCase = onOne('relations tells tables and views of a schema apart', async (w) => {
  await table(w, 'b')
  await w.run(`create view ${w.name({ schema: 'models', name: 'A view' })} as select 1 as a`)
  deepEqual(await w.relations('raw'), [{ name: 'b', isView: false }])
  deepEqual(await w.relations('models'), [{ name: 'A view', isView: true }])
})

const built: WarehouseCase = onOne('the query builder writes, reads, quotes and streams', async (w) => {
  const db = kysely(w)
  const row = { sync: `s'`, epoch: 1, row_number: 2n ** 53n, reason: 'null key', key: null }
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('cdp.sync_skipped')
    .values([row, { ...row, sync: 'other' }])
    .executeTakeFirstOrThrow()
  equal(numInsertedOrUpdatedRows, 2n)
  const query = db.selectFrom('cdp.sync_skipped').select(['sync', 'row_number', 'key']).where('sync', '=', `s'`)
  deepEqual(await query.execute(), [{ sync: `s'`, row_number: 2n ** 53n, key: null }])
  const streamed: unknown[] = []
  for await (const found of query.stream()) streamed.push(found.sync)
  deepEqual(streamed, [`s'`])
  const { numUpdatedRows } = await db
    .updateTable('cdp.sync_skipped')
    .set({ reason: 'other' })
    .where('epoch', '=', 1)
    .executeTakeFirstOrThrow()
  equal(numUpdatedRows, 2n)
  const strange = 'a b - Tên'
  await sql`create table ${sql.table(`raw.${strange}`)} (${sql.ref('x y')} ${sql.raw(w.typeName('integer'))})`.execute(
    db,
  )
  await sql`insert into ${sql.id('raw', strange)} values (${3})`.execute(db)
  deepEqual((await sql`select ${sql.ref('x y')} from ${sql.id('raw', strange)}`.execute(db)).rows, [{ 'x y': 3 }])
  await refusal(
    'INTERNAL',
    db.transaction().execute(async (inner) => inner.selectFrom('cdp.runs').selectAll().execute()),
  )
})

export const bulkCases: readonly WarehouseCase[] = [
  loads,
  appended,
  meanwhile,
  staged,
  unloads,
  ordered,
  merges,
  lists,
  built,
]
