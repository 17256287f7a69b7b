// The file destination: the contract, then the bytes it writes and what a broken write leaves.
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { env, type JsonObject } from 'composable-cdp'
import { file } from '../../connectors/file.ts'
import { casesFor, contextFor } from '../../src/testing/destination-contract.ts'
import { jsonObject } from './against-twin.ts'

let root = ''
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'cdp-file-'))
})
afterEach(async () => {
  await rm(root, { recursive: true, force: true })
})

const from = async function* (rows: readonly JsonObject[]): AsyncIterable<JsonObject> {
  for (const row of rows) yield row
}

const replace = async (
  path: string,
  rows: AsyncIterable<JsonObject> | readonly JsonObject[],
  fields = ['email', 'name'],
): Promise<number | undefined> => {
  const writer = await file({ path }).open({ root })
  return writer.replace?.(Symbol.asyncIterator in rows ? rows : from(rows), { ...contextFor('s1'), fields })
}

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8')

const held = async (): Promise<ReadonlyMap<string, JsonObject>> => {
  const lines = (await read('out/audience.ndjson')).split('\n').filter((line) => line !== '')
  return new Map(
    lines.map((line) => {
      const { email, ...record } = jsonObject(JSON.parse(line))
      return [typeof email === 'string' ? email : '', record]
    }),
  )
}

const many = async function* (): AsyncIterable<JsonObject> {
  for (let i = 0; i < 30_000; i++) yield { email: `person-${i}@example.com`, name: 'Nguyễn' }
}

const broken = async function* (): AsyncIterable<JsonObject> {
  yield { email: 'a@example.com' }
  throw new Error('the warehouse went away')
}

describe('file keeps the contract: it', () => {
  it.for(casesFor(file({ path: 'x.ndjson' })))('$title', async ({ run }) => {
    const destination = file({ path: 'out/audience.ndjson' })
    const kept = run({
      destination,
      open: () => destination.open({ root }),
      upsert: (index) => ({
        operation: 'upsert',
        id: `v${index}`,
        key: { email: `a${index}@example.com` },
        record: { name: `An ${index}`, spend: index },
      }),
      mark: String,
      held,
      fault: () => Promise.reject(new Error('a file has no faults')),
      requests: () => Promise.resolve(0),
      secrets: [],
    })
    await expect(kept).resolves.toBeUndefined()
  })
})

describe('the bytes', () => {
  it('are CSV as RFC 4180 says, with LF, without a mark, nulls empty and formulas as they are', async () => {
    const rows = [
      { email: 'an@example.com', name: 'Lê, Chi', note: 'said "hi"\nand left' },
      { name: null, email: 'binh@example.com', note: '' },
      { email: 'cuong@example.com', name: '=1+1', note: true },
      { email: 'dung@example.com', name: 0.1, note: ['a', 'b'] },
      { email: 'em@example.com' },
    ]
    expect(await replace('out/a.csv', rows, ['email', 'name', 'note'])).toBe(5)
    expect(await read('out/a.csv')).toBe(
      [
        'email,name,note',
        'an@example.com,"Lê, Chi","said ""hi""\nand left"',
        'binh@example.com,,""',
        'cuong@example.com,=1+1,true',
        'dung@example.com,0.1,"[""a"",""b""]"',
        'em@example.com,,',
        '',
      ].join('\n'),
    )
  })

  it('are NDJSON with every field in order', async () => {
    await replace('a.ndjson', [{ name: 'Bình', email: 'binh@example.com' }, { email: 'chi@example.com' }])
    expect(await read('a.ndjson')).toBe(
      '{"email":"binh@example.com","name":"Bình"}\n{"email":"chi@example.com","name":null}\n',
    )
  })

  it('are a header alone for an empty CSV, and one column for a name given twice', async () => {
    expect(await replace('a.csv', [], ['email', 'a "b"', 'email'])).toBe(0)
    expect(await read('a.csv')).toBe('email,"a ""b"""\n')
  })

  it('are whole for an audience larger than what is written at once', async () => {
    expect(await replace('a.csv', many())).toBe(30_000)
    const lines = (await read('a.csv')).split('\n')
    expect(lines).toHaveLength(30_002)
    expect(lines[30_000]).toBe('person-29999@example.com,Nguyễn')
  })
})

describe('the place', () => {
  it('may be absolute, or named by the environment', async () => {
    process.env['FILE_TEST_PATH'] = join(root, 'deep/er/b.csv')
    const destination = file({ path: env('FILE_TEST_PATH') })
    const writer = await destination.open({ root: '/nowhere' })
    await writer.replace?.(from([{ email: 'a@example.com' }]), { ...contextFor('s'), fields: ['email'] })
    delete process.env['FILE_TEST_PATH']
    expect(await read('deep/er/b.csv')).toBe('email\na@example.com\n')
    expect(destination.target).toBe('[secret FILE_TEST_PATH]')
  })

  it('must say its format by its ending or by an option', async () => {
    expect(() => file({ path: 'out/readers.txt' })).toThrow(/`format` must be csv or ndjson/)
    const writer = await file({ path: 'readers.txt', format: 'csv' }).open({ root })
    await writer.replace?.(from([]), { ...contextFor('s'), fields: ['email'] })
    expect(await read('readers.txt')).toBe('email\n')
  })

  it('keeps its permissions, and a link stays a link', async () => {
    await mkdir(join(root, 'real'))
    await writeFile(join(root, 'real/a.csv'), 'old')
    await chmod(join(root, 'real/a.csv'), 0o600)
    await symlink(join(root, 'real/a.csv'), join(root, 'a.csv'))
    await replace('a.csv', [])
    expect((await stat(join(root, 'real/a.csv'))).mode & 0o777).toBe(0o600)
    expect(await read('real/a.csv')).toBe('email,name\n')
  })

  it('that cannot be written is an error that says so, and leaves nothing behind', async () => {
    await mkdir(join(root, 'a.csv/inside'), { recursive: true })
    await expect(replace('a.csv', [])).rejects.toMatchObject({ code: 'DESTINATION_FILE', kind: 'transient' })
    expect(await readdir(root)).toEqual(['a.csv'])
  })
})

describe('a write that broke off', () => {
  it('leaves no part behind', async () => {
    await replace('a.csv', [{ email: 'old@example.com' }], ['email'])
    await expect(replace('a.csv', broken(), ['email'])).rejects.toThrow('the warehouse went away')
    expect(await readdir(root)).toEqual(['a.csv'])
    expect(await read('a.csv')).toBe('email\nold@example.com\n')
  })

  it('because the process was killed is swept away by the next, which touches no part of a living process', async () => {
    const [dead, mine] = ['.a.csv.999999999-0123abcd.part', `.a.csv.${process.pid}-0123abcd.part`]
    await writeFile(join(root, dead), 'half')
    await writeFile(join(root, mine), 'half')
    await replace('a.csv', [])
    expect((await readdir(root)).toSorted()).toEqual([mine, 'a.csv'].toSorted())
  })
})
