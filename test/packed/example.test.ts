import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cp, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { audienceServer, installProject, type AudienceServer, type InstalledProject } from './packed.ts'

const fixture = new URL('../fixtures/example', import.meta.url).pathname
const expected = JSON.parse(readFileSync(join(fixture, 'expected.json'), 'utf8')) as ExpectedResults

interface Day {
  readonly landed: Readonly<Record<string, number>>
  readonly people: { readonly records: number; readonly persons: number }
  readonly 'spenders-to-webhook': {
    readonly sent: { upsert: number; remove: number }
    readonly holds: Readonly<Record<string, unknown>>
  }
  readonly 'readers-to-file': { readonly holds: Readonly<Record<string, { name: string; city: string }>> }
}
interface ExpectedResults {
  readonly day1: Day & {
    readonly quarantined: { stream: string; file: string; line: number; about: string }[]
    readonly same_person: string[][]
  }
  readonly day2: Day
}

// One story in order: each step stands on the one before.
describe('the example project, unchanged, against the packed package', () => {
  let project: InstalledProject
  let server: AudienceServer
  let survivor = ''

  const rows = async (sql: string): Promise<Record<string, unknown>[]> => {
    const { stdout, stderr, code } = await project.cdp(['query', sql])
    expect(code, stderr).toBe(0)
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }
  const runAndSync = async (): Promise<void> => {
    for (const command of ['run', 'sync']) {
      const ran = await project.cdp([command], { AUDIENCE_URL: server.url })
      expect(ran.code, `${command}: ${ran.stderr}`).toBe(0)
    }
  }
  const sentSince = (from: number): { upsert: number; remove: number } => {
    const changes = server.requests.slice(from).flatMap((request) => request.changes)
    return {
      upsert: changes.filter((change) => change.op === 'upsert').length,
      remove: changes.filter((change) => change.op === 'remove').length,
    }
  }
  const holdsOf = (csv: string): Record<string, { name: string; city: string }> =>
    Object.fromEntries(
      csv
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line) => {
          const [email = '', name = '', city = ''] = [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map((m) =>
            (m[1] ?? '').replaceAll(/^"|"$/g, '').replaceAll('""', '"'),
          )
          return [email, { name, city }]
        }),
    )
  const checkDay = async (day: Day, from: number): Promise<void> => {
    for (const [relation, count] of Object.entries(day.landed)) {
      expect(await rows(`select count(*) as n from raw.${relation}`), relation).toEqual([{ n: count }])
    }
    expect(await rows('select count(*) as records, count(distinct person_id) as persons from people')).toEqual([
      day.people,
    ])
    expect(sentSince(from)).toEqual(day['spenders-to-webhook'].sent)
    expect(Object.fromEntries(server.holds)).toEqual(day['spenders-to-webhook'].holds)
    expect(holdsOf(await readFile(join(project.folder, 'out/readers.csv'), 'utf8'))).toEqual(
      day['readers-to-file'].holds,
    )
    const [ledger] = await rows(
      "select count(*) as n from cdp.sync_rows where sync = 'spenders-to-webhook' and status = 'delivered'",
    )
    expect(ledger?.['n']).toBe(Object.keys(day['spenders-to-webhook'].holds).length)
  }

  beforeAll(async () => {
    project = await installProject(fixture)
    server = await audienceServer('phone')
  }, 240_000)

  afterAll(async () => {
    await server.close()
    await project.remove()
  })

  it(
    'day 1: lands, quarantines, finds the persons and sends what expected.json says',
    { timeout: 120_000 },
    async () => {
      await runAndSync()
      await checkDay(expected.day1, 0)
      const quarantined = await rows(
        "select stream, file, line, coalesce(column_name, reason) as about from cdp.quarantine where status = 'open'",
      )
      expect(quarantined).toEqual(expected.day1.quarantined)
      const records = await rows('select source, record_id, person_id from people')
      const personOf = new Map(
        records.map((row) => [`${String(row['source'])}/${String(row['record_id'])}`, row['person_id']]),
      )
      const groups = new Map<unknown, string[]>()
      for (const [record, person] of personOf) groups.set(person, [...(groups.get(person) ?? []), record])
      const sorted = (lists: string[][]): string[] => lists.map((list) => list.toSorted().join(' ')).toSorted()
      expect(sorted([...groups.values()])).toEqual(sorted(expected.day1.same_person))
      survivor = String(personOf.get('shop/1'))
    },
  )

  it('signs every request with the secret', () => {
    for (const { headers, body } of server.requests) {
      const [, time = '', signature = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['cdp-signature'])) ?? []
      expect(signature).toBe(createHmac('sha256', 'not-a-secret').update(`${time}.${body}`).digest('hex'))
      expect(headers['idempotency-key']).toBeTruthy()
    }
  })

  it('day 1 again: nothing is sent and no file is written', { timeout: 120_000 }, async () => {
    const requests = server.requests.length
    const before = await stat(join(project.folder, 'out/readers.csv'))
    await runAndSync()
    expect(server.requests).toHaveLength(requests)
    const after = await stat(join(project.folder, 'out/readers.csv'))
    expect([after.mtimeMs, after.ino]).toEqual([before.mtimeMs, before.ino])
  })

  it('day 2: merges two people under the older id, sends two and removes one', { timeout: 120_000 }, async () => {
    const from = server.requests.length
    for (const file of await readdir(join(project.folder, 'day2'))) {
      await cp(join(project.folder, 'day2', file), join(project.folder, 'data', file))
    }
    await runAndSync()
    await checkDay(expected.day2, from)
    const columns = await rows(
      "select column_name from cdp.schemas where stream = 'shop.customers' and load_id <> (select min(load_id) from cdp.schemas where stream = 'shop.customers')",
    )
    expect(columns.map((row) => row['column_name'])).toContain('birthday')
    const merged = await rows("select distinct person_id from people where source = 'shop' and record_id in ('1', '2')")
    expect(merged).toEqual([{ person_id: survivor }])
    expect(await rows('select person_id from cdp.person_redirects')).toEqual([{ person_id: survivor }])
  })
})
