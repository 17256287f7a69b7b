import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openProject, quarantined, rowsOf, scan, typesOf, type TestProject } from './project.ts'

let project: TestProject
beforeEach(async () => {
  project = await openProject()
})
afterEach(() => project.close())

/** Type and text (the way back) of a column that holds these cells. */
const born = async (cells: readonly string[]): Promise<string | undefined> => {
  project.write('a.csv', `k,c\n${cells.map((cell, at) => `${at},${cell}`).join('\n')}\n`)
  await project.land(scan('a.csv'))
  const type = (await typesOf(project))['c']
  await project.warehouse.run('drop table raw.s_t')
  return type
}

describe('the type of a column at its birth', () => {
  it('is a number only where every value prints back to the same text', async () => {
    expect(await born(['1', '-20', '0', '9223372036854775807'])).toBe('BIGINT')
    expect(await born(['1', '', '3'])).toBe('BIGINT')
    expect(await born(['0912345678', '1'])).toBe('VARCHAR')
    expect(await born(['+1', '1'])).toBe('VARCHAR')
    expect(await born(['" 1"', '1'])).toBe('VARCHAR')
    expect(await born(['-0', '1'])).toBe('VARCHAR')
    expect(await born(['1_000', '1'])).toBe('VARCHAR')
    expect(await born(['0x1F', '1'])).toBe('VARCHAR')
    expect(await born(['1e3', '1'])).toBe('VARCHAR')
    expect(await born(['""', '1'])).toBe('VARCHAR')
    expect(await born(['9223372036854775808', '1'])).toBe('DECIMAL(38,0)')
  })

  it('is a decimal for a fixed number of decimals, or for decimals without trailing zeros', async () => {
    expect(await born(['12.50', '-3.00'])).toBe('DECIMAL(18,2)')
    expect(await born(['12.5', '3', '0.125'])).toBe('DECIMAL(18,3)')
    expect(await born(['12345678901234567890.12', '1.00'])).toBe('DECIMAL(38,2)')
    expect(await born(['-0.00', '1.00'])).toBe('VARCHAR')
    expect(await born(['.5', '1.5'])).toBe('VARCHAR')
    expect(await born(['12.50', '3.125'])).toBe('VARCHAR')
  })

  it('is a double for floating point as programs print it', async () => {
    expect(await born(['3.0', '12.25', '1e-07'])).toBe('DOUBLE')
    expect(await born(['3.00', '12.25', '1e-7'])).toBe('VARCHAR')
  })

  it('is a date, a truth value or an instant only in the canonical spelling', async () => {
    expect(await born(['2026-10-01', '1990-02-28'])).toBe('DATE')
    expect(await born(['2026-02-30'])).toBe('VARCHAR')
    expect(await born(['2026-1-5'])).toBe('VARCHAR')
    expect(await born(['true', 'false'])).toBe('BOOLEAN')
    expect(await born(['True', 'False'])).toBe('VARCHAR')
    expect(await born(['2026-10-01T08:00:00Z'])).toBe('TIMESTAMP WITH TIME ZONE')
    expect(await born(['2026-10-01T08:00:00.120Z', '2026-10-01T08:00:00.000Z'])).toBe('TIMESTAMP WITH TIME ZONE')
    expect(await born(['2026-10-01T08:00:00.12Z', '2026-10-01T08:00:00Z'])).toBe('TIMESTAMP WITH TIME ZONE')
    expect(await born(['2026-10-01T08:00:00.10Z', '2026-10-01T08:00:00Z'])).toBe('VARCHAR')
    expect(await born(['2026-10-01 08:00:00'])).toBe('VARCHAR')
    expect(await born(['2026-10-01T08:00:00+07:00'])).toBe('VARCHAR')
    expect(await born(['2026-10-01T24:00:00Z'])).toBe('VARCHAR')
  })

  it('is text where there is no value, and where a value far down does not fit', async () => {
    expect(await born(['', ''])).toBe('VARCHAR')
    expect(await born([...Array.from({ length: 5000 }, (_, i) => String(i)), 'x'])).toBe('VARCHAR')
  })

  it('is text for the key', async () => {
    project.write('a.csv', 'id,n\n1,1\n2,2\n')
    await project.land(scan('a.csv', { key: ['id'] }))
    expect(await typesOf(project)).toEqual({ id: 'VARCHAR', n: 'BIGINT' })
  })
})

describe('a column whose values no longer fit', () => {
  const later = async (first: readonly string[], second: readonly string[]): Promise<unknown[]> => {
    project.write('a.csv', `id,c\n${first.map((cell, at) => `a${at},${cell}`).join('\n')}\n`)
    await project.land(scan('*.csv', { key: ['id'] }))
    project.write('b.csv', `id,c\n${second.map((cell, at) => `b${at},${cell}`).join('\n')}\n`)
    await project.land(scan('*.csv', { key: ['id'] }))
    const { c } = await typesOf(project)
    return [c, ...(await project.all<{ c: unknown }>('select c from raw.s_t order by id')).map((row) => row.c)]
  }

  it('goes from integer to decimal', async () => {
    expect(await later(['1', '20'], ['2.5', '3'])).toEqual(['DECIMAL(18,1)', '1.0', '20.0', '2.5', '3.0'])
  })

  it('goes from integer to text when the decimals would not print back', async () => {
    expect(await later(['1', '20'], ['2.50'])).toEqual(['VARCHAR', '1', '20', '2.50'])
  })

  it('goes from integer to text, with the text it had', async () => {
    expect(await later(['1', '-20'], ['0912'])).toEqual(['VARCHAR', '1', '-20', '0912'])
  })

  it('goes from date to text, with the text it had', async () => {
    expect(await later(['2026-10-01'], ['1/10/2026'])).toEqual(['VARCHAR', '2026-10-01', '1/10/2026'])
  })

  it('goes from instant to text, with the text it had', async () => {
    expect(await later(['2026-10-01T08:00:00.120Z', '2026-10-01T08:00:00.000Z'], ['soon'])).toEqual([
      'VARCHAR',
      '2026-10-01T08:00:00.120Z',
      '2026-10-01T08:00:00.000Z',
      'soon',
    ])
    await project.warehouse.run('drop table raw.s_t')
    expect(await later(['2026-10-01T08:00:00.12Z', '2026-10-01T08:00:00Z'], ['soon', ''])).toEqual([
      'VARCHAR',
      '2026-10-01T08:00:00.12Z',
      '2026-10-01T08:00:00Z',
      'soon',
      null,
    ])
  })

  it('keeps a fixed number of decimals, or goes to text', async () => {
    expect(await later(['1.50'], ['12345678901234567.25'])).toEqual(['DECIMAL(38,2)', '1.50', '12345678901234567.25'])
    await project.warehouse.run('drop table raw.s_t')
    expect(await later(['1.50'], ['1.125'])).toEqual(['VARCHAR', '1.50', '1.125'])
    await project.warehouse.run('drop table raw.s_t')
    expect(await later(['1.5', '3'], ['1.125'])).toEqual(['DECIMAL(18,3)', '1.500', '3.000', '1.125'])
    await project.warehouse.run('drop table raw.s_t')
    expect(await later(['1.5', '3'], ['x'])).toEqual(['VARCHAR', '1.5', '3', 'x'])
  })

  it('is recorded as a new version, and said', async () => {
    await later(['1'], ['x'])
    expect(await project.all(`select type, version from cdp.schemas where column_name = 'c' order by version`)).toEqual(
      [
        { type: 'integer', version: 1 },
        { type: 'text', version: 2 },
      ],
    )
    expect(project.events).toContainEqual(
      expect.objectContaining({ type: 'warning', message: expect.stringContaining('c is text now') as unknown }),
    )
  })

  it('stays what it was as long as values fit', async () => {
    expect(await later(['1'], ['', '7'])).toEqual(['BIGINT', 1, null, 7])
  })
})

describe('new and missing columns', () => {
  it('adds a new column and leaves a missing one null', async () => {
    project.write('a.csv', 'id,a\n1,x\n')
    await project.land(scan('*.csv', { key: ['id'] }))
    project.write('b.csv', 'id,b\n2,2026-10-01\n')
    expect(await project.land(scan('*.csv', { key: ['id'] }))).toMatchObject({ changed: true })
    expect(await rowsOf(project)).toEqual([
      { id: '1', a: 'x', b: null },
      { id: '2', a: null, b: '2026-10-01' },
    ])
    expect((await typesOf(project))['b']).toBe('DATE')
  })
})

describe('a promised type', () => {
  const kept = async (type: string, cells: readonly string[], timeZone?: string): Promise<unknown[]> => {
    project.write('a.csv', `id,c\n${cells.map((cell, at) => `${at + 10},${cell}`).join('\n')}\n`)
    await project.land(
      scan('a.csv', {
        key: ['id'],
        types: { c: type },
        maxQuarantined: 1,
        ...(timeZone === undefined ? {} : { timeZone }),
      }),
    )
    const values = (await project.all<{ c: unknown }>('select c from raw.s_t order by id')).map((row) => row.c)
    await project.warehouse.run('drop table raw.s_t')
    await project.warehouse.run('delete from cdp.quarantine')
    return values
  }

  it('takes a number as sign, digits, point, digits, and rounds nothing', async () => {
    expect(
      await kept('decimal(18,2)', [
        '12.5',
        '+3',
        '-0.10',
        '007',
        '12.340',
        '12.345',
        '1e3',
        '1_000',
        '0x1F',
        ' 5',
        '.5',
        '5.',
        '99999999999999999',
      ]),
    ).toEqual(['12.50', '3.00', '-0.10', '7.00', '12.34'])
    expect(await kept('integer', ['1', '+2', '3.0', '12.5', '9223372036854775808', '1e3'])).toEqual([1, 2, 3])
    expect(await kept('double', ['1.5', '2', '1e3', 'nan', 'inf'])).toEqual([1.5, 2])
  })

  it('takes truth values, dates and JSON', async () => {
    expect(await kept('boolean', ['true', 'F', 'YES', '0', 'maybe'])).toEqual([true, false, true, false])
    expect(await kept('date', ['2026-10-01', '2026-02-30', '01/10/2026', '2026-10-01 08:00'])).toEqual(['2026-10-01'])
    expect(await kept('json', ['"{""a"":1}"', '{a'])).toEqual(['{"a":1}'])
  })

  it('takes an instant with its zone, or reads it in the stream’s', async () => {
    expect(
      await kept('timestamp', [
        '2026-10-01T08:00:00Z',
        '2026-10-01 08:00:00',
        '2026-10-01',
        '2026-10-01T08:00:00.5+02:00',
        '2026-10-01 08:00 +0700',
        '2026-10-01 25:00',
        'soon',
      ]),
    ).toEqual([
      '2026-10-01T08:00:00Z',
      '2026-10-01T01:00:00Z',
      '2026-09-30T17:00:00Z',
      '2026-10-01T06:00:00.5Z',
      '2026-10-01T01:00:00Z',
    ])
    expect(await kept('timestamp', ['2026-10-01 08:00:00'], 'UTC')).toEqual(['2026-10-01T08:00:00Z'])
    expect(await kept('timestamp', ['2026-03-08 08:00:00', '2026-03-07 08:00:00'], 'America/New_York')).toEqual([
      '2026-03-08T12:00:00Z',
      '2026-03-07T13:00:00Z',
    ])
  })

  it('takes an empty cell, quoted or not, as null', async () => {
    expect(await kept('decimal(18,2)', ['', '""', '1'])).toEqual([null, null, '1.00'])
  })

  it('keeps a row that breaks it in quarantine with value and reason', async () => {
    project.write('a.csv', 'id,c\n1,x\n2,5\n')
    await project.land(scan('a.csv', { key: ['id'], types: { c: 'decimal(18,2)' } }))
    expect(await quarantined(project)).toEqual([
      { file: 'a.csv', record: 1, line: 2, column_name: 'c', reason: '"x" is not a decimal(18,2)', raw: '1,x' },
    ])
  })

  it('makes the column even where no file has it yet', async () => {
    project.write('a.csv', 'id\n1\n')
    await project.land(scan('a.csv', { key: ['id'], types: { birthday: 'date' } }))
    expect(await rowsOf(project)).toEqual([{ id: '1', birthday: null }])
  })

  it('is refused when no such type exists', async () => {
    project.write('a.csv', 'id\n1\n')
    await expect(project.land(scan('a.csv', { types: { id: 'money' } }))).rejects.toMatchObject({ code: 'STREAM_TYPE' })
  })

  it('that is given later converts what is there, if all of it fits', async () => {
    project.write('a.csv', 'id,c\n1,5\n2,007\n')
    await project.land(scan('a.csv', { key: ['id'] }))
    expect((await typesOf(project))['c']).toBe('VARCHAR')
    await project.land(scan('a.csv', { key: ['id'], types: { c: 'integer' } }))
    expect(await rowsOf(project)).toEqual([
      { id: '1', c: 5 },
      { id: '2', c: 7 },
    ])
    await expect(project.land(scan('a.csv', { key: ['id'], types: { c: 'date' } }))).rejects.toMatchObject({
      code: 'STREAM_PROMISE',
    })
    expect((await typesOf(project))['c']).toBe('BIGINT')
  })
})
