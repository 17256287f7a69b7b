// What must hold for any file: no text is lost, whatever types were guessed and widened on the way; a bad record takes no good one with it.
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openProject, quarantined, scan, type TestProject } from './project.ts'

let project: TestProject
beforeAll(async () => {
  project = await openProject()
})
afterAll(() => project.close())

const startAgain = async (files: readonly string[]): Promise<void> => {
  for (const file of files) rmSync(join(project.root, file), { force: true })
  await project.warehouse.run('drop table if exists raw.s_t')
  await project.warehouse.run('delete from cdp.quarantine')
}

const digits = fc.stringMatching(/^[0-9]{1,3}$/)
const cell = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
  fc.tuple(fc.integer({ min: -999, max: 999 }), digits).map(([whole, fraction]) => `${whole}.${fraction}`),
  fc.double({ noNaN: true }).map(String),
  fc
    .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  fc
    .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  fc
    .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => `${date.toISOString().slice(0, 19)}Z`),
  fc.constantFrom(
    '',
    '0',
    '-0',
    '00',
    '+1',
    ' 1',
    '1 ',
    'true',
    'false',
    'True',
    'NaN',
    'infinity',
    '1e5',
    '0x10',
    'null',
    '12.0',
    '.5',
    '-',
    '"',
    'a,b',
    'x\ny',
    'Huế',
  ),
)
// A column is mostly of one kind, as in life; else nothing but text would be tried.
const column = fc.oneof(
  fc.array(cell, { minLength: 6, maxLength: 6 }),
  ...[
    fc.integer({ min: 0, max: 99 }).map(String),
    fc.integer({ min: 0, max: 9999 }).map((n) => (n / 100).toFixed(2)),
    fc.integer({ min: 0, max: 9999 }).map((n) => String(n / 100)),
    fc
      .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    fc
      .date({ min: new Date('1900-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
  ].map((kind) =>
    fc.array(fc.oneof({ arbitrary: kind, weight: 9 }, { arbitrary: cell, weight: 1 }), { minLength: 6, maxLength: 6 }),
  ),
)

const field = (value: string): string => (/[",\n\r]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)

describe('whatever is landed', () => {
  it('is given back as the text it was, when its column has become text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(column, { minLength: 1, maxLength: 4 }), async (columns) => {
        const header = ['id', ...columns.map((_, at) => `c${at}`)].join(',')
        const line = (row: number): string =>
          [`k${row}`, ...columns.map((values) => field(values[row] ?? ''))].join(',')
        const files = ['p1.csv', 'p2.csv', 'p3.csv', 'p4.csv']
        await startAgain(files)
        for (const [at, file] of files.entries()) {
          const rows = [line(at * 2), line(at * 2 + 1)]
          project.write(
            file,
            at < 3
              ? `${header}\n${rows.join('\n')}\n`
              : `${header}\nlast${',not a number or a date'.repeat(columns.length)}\n`,
          )
          await project.land(scan('p*.csv', { key: ['id'] }))
        }
        const rows = await project.all<Record<string, string | null>>('select * from raw.s_t order by id')
        const back = rows
          .filter((row) => row['id'] !== 'last')
          .map((row) => columns.map((_, at) => row[`c${at}`] ?? ''))
        expect(back).toEqual(Array.from({ length: 6 }, (_, row) => columns.map((values) => values[row])))
      }),
      { numRuns: 25 },
    )
  })

  const good = fc.tuple(
    fc.string({ maxLength: 6, unit: fc.constantFrom('a', '1', ',', '"', '\n', '\r\n', ' ', ';', 'ế', '😀') }),
    fc.string({ maxLength: 4 }),
  )
  const record = fc.oneof(
    { arbitrary: good.map(([a, b]) => ({ good: [a, b.replaceAll(/[\r\0]/g, '')] as const })), weight: 4 },
    { arbitrary: fc.constantFrom('too,few', 'a,bit,too,many', '1,"x"y,2', '').map((bad) => ({ bad })), weight: 1 },
  )
  it('is every good record, with its line, and every bad one in quarantine, with its line', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(record, { minLength: 1, maxLength: 12 }),
        fc.constantFrom('\n', '\r\n'),
        async (records, end) => {
          await startAgain(['q.csv'])
          let line = 2
          const expected: unknown[] = []
          const wrong: unknown[] = []
          let text = `id,a,b${end}`
          for (const [at, one] of records.entries()) {
            if ('good' in one) {
              const [a, b] = one.good
              const quoted = (value: string): string => `"${value.replaceAll('"', '""')}"`
              text += `${at},${quoted(a)},${quoted(b)}${end}`
              expected.push({ id: String(at).padStart(2, '0'), a, b, l: line })
              line += `${a}${b}`.split('\n').length
            } else {
              if (one.bad !== '') wrong.push({ line, raw: one.bad })
              text += `${one.bad}${end}`
              line += 1
            }
          }
          project.write('q.csv', text)
          await project.land(
            scan('q.csv', { key: ['id'], types: { a: 'text', b: 'text' }, lines: true, maxQuarantined: 1 }),
          )
          expect(
            await project.all(`select lpad(id, 2, '0') as id, a, b, _cdp_source_line as l from raw.s_t order by 1`),
          ).toEqual(expected)
          expect((await quarantined(project)).map(({ line: at, raw }) => ({ line: at, raw }))).toEqual(wrong)
        },
      ),
      { numRuns: 40 },
    )
  })
})
