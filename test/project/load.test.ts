// Projects in folders: what loading gives, and what it says of everything that is wrong, with places.
import { afterEach, describe, expect, it } from 'vitest'
import * as cdp from 'composable-cdp'
import { isSecret } from '../../src/core/secret.ts'
import { loadLive } from '../../src/project/live.ts'
import { missingSecrets } from '../../src/project/secrets.ts'
import { folderOf, removeFolders, shop } from './folder.ts'

afterEach(removeFolders)

const changed = (file: string, from: string | RegExp, to: string): Record<string, string> => {
  const text = shop[file] ?? ''
  const out = text.replace(from, to)
  if (out === text) throw new Error(`nothing to change in ${file}`)
  return { ...shop, [file]: out }
}

describe('loading a project', () => {
  it('gives configuration, models in order and syncs as plain data', async () => {
    const { compiled } = await folderOf(shop).load()
    expect(compiled).toMatchObject({
      name: 'shop',
      region: 'VN',
      timeZone: 'Asia/Ho_Chi_Minh',
      target: 'local',
      consent: 'consent',
      requirePurpose: false,
      warehouse: { engine: 'duckdb' },
      schedule: { '*/15 * * * *': { run: '*', sync: '*' } },
    })
    expect(compiled.streams).toMatchObject([
      { id: 'shop.customers', relation: 'shop_customers', key: ['id'], cursor: 'at', from: { kind: 'scan' } },
      { id: 'shop.orders', relation: 'shop_orders', types: { total: 'decimal(18,2)' }, from: { kind: 'pages' } },
    ])
    expect(compiled.models.map((model) => model.name)).toEqual(['people', 'consent'])
    expect(compiled.syncs).toMatchObject([
      {
        id: 'people-to-file',
        file: 'syncs/people-to-file.ts',
        from: 'people',
        destination: { name: 'file', takes: 'snapshot' },
      },
      {
        id: 'people-to-webhook',
        key: { email: 'email' },
        map: { name: 'name', source: { value: 'shop' } },
        mode: 'mirror',
        purpose: 'marketing.email',
        clear: [],
        guard: {},
        tags: ['daily'],
        destination: { name: 'webhook', takes: 'changes' },
      },
    ])
    expect(compiled.warnings).toEqual([
      {
        message: 'people-to-file names no purpose: its rows are sent whatever consent says.',
        file: 'syncs/people-to-file.ts',
      },
    ])
    expect(JSON.stringify(compiled)).not.toContain('not-a-secret')
  })

  it('gives the code of destinations and pages, of the one instance of this package', async () => {
    const { live } = await folderOf(shop).load()
    const destination = live.destination('people-to-webhook')
    expect(typeof destination.open).toBe('function')
    const pages = live.pages('shop.orders')
    const context = {
      cursor: undefined,
      clock: cdp.systemClock,
      signal: new AbortController().signal,
      progress: () => undefined,
    }
    const rows = []
    for await (const page of pages.read(context)) rows.push(page)
    expect(rows).toEqual([{ rows: [{ id: 1 }] }])
    expect(() => live.pages('shop.customers')).toThrow('no pages')
    // A copy of the package would have another error class and another memory of secrets.
    const folder = folderOf({
      ...shop,
      'syncs/people-to-file.ts': `import { CdpError } from 'composable-cdp'\nthrow new CdpError('INTERNAL', { detail: 'x' })\n`,
    })
    const thrown: unknown = await folder.load().catch((error: unknown) => error)
    expect(thrown).toMatchObject({ problems: [expect.any(cdp.CdpError)] })
  })

  it('gives the same code of a project that was compiled before, without a look at its models', async () => {
    const folder = folderOf(shop)
    const { compiled } = await folder.load()
    folder.remove('models/people.sql')
    const live = await loadLive(compiled)
    expect(live.destination('people-to-file')).toMatchObject({ name: 'file', takes: 'snapshot' })
    expect(live.pages('shop.orders').kind).toBe('pages')
    expect(() => live.destination('nobody')).toThrow('no sync nobody')
    folder.write('syncs/people-to-file.ts', 'throw new Error("gone wrong")')
    await expect(loadLive(compiled)).rejects.toMatchObject({ problems: [{ code: 'CONFIG_LOAD' }] })
  })

  it('chooses a target and knows no other', async () => {
    const folder = folderOf(shop)
    expect((await folder.load('other')).compiled).toMatchObject({
      target: 'other',
      warehouse: { settings: { path: 'other.duckdb' } },
    })
    await expect(folder.load('nowhere')).rejects.toMatchObject({
      code: 'TARGET_UNKNOWN',
      args: { known: ['local', 'other'] },
    })
    folder.remove('cdp.config.ts')
    await expect(folder.load()).rejects.toMatchObject({ code: 'PROJECT_NOT_FOUND' })
  })

  it('names the secrets a step would miss, all together', async () => {
    const { compiled } = await folderOf(shop).load()
    expect(missingSecrets(compiled, { warehouse: true, streams: ['shop.customers'] })).toEqual([])
    expect(
      missingSecrets(compiled, { streams: ['shop.orders'], syncs: ['people-to-webhook', 'people-to-file'] }),
    ).toEqual(['SHOP_API', 'HOOK_URL'])
    expect(compiled.syncs.flatMap((sync) => sync.secrets).every(isSecret)).toBe(true)
  })

  it('sees what changed between two loads in one process', async () => {
    const folder = folderOf(shop)
    await folder.load()
    folder.write('sources/shop.ts', (shop['sources/shop.ts'] ?? '').replace("cursor: 'at'", "cursor: 'seen'"))
    expect((await folder.load()).compiled.streams[0]?.cursor).toBe('seen')
  })
})

describe('problems of a project', () => {
  it('are found together, in configuration, models and syncs', async () => {
    const files = {
      ...changed('cdp.config.ts', "timeZone: 'Asia/Ho_Chi_Minh'", "timeZne: 'Asia/Ho_Chi_Minh'"),
      'models/people.sql': 'select * from raw.shop_customers join peple using (id)',
      'syncs/people-to-file.ts': 'export default { from: "people" }\n',
    }
    expect(await folderOf(files).problems()).toEqual([
      'cdp.config.ts:7:3 CONFIG_INVALID: cdp.config.ts: there is no "timeZne" here. Did you mean "timeZone"?',
      'models/people.sql:1:39 UNKNOWN_MODEL: people reads peple, which is no model. Did you mean "people"?',
      'syncs/people-to-file.ts SYNC_INVALID: Sync people-to-file: its default export is not defineSync({ … }).',
    ])
  })

  const configs: readonly (readonly [string, string | RegExp, string, string])[] = [
    [
      'no project',
      /export default defineProject\(/,
      'export default ((x: unknown) => x)(',
      'cdp.config.ts CONFIG_INVALID: cdp.config.ts: its default export is not defineProject({ … }).',
    ],
    [
      'a wrong region',
      "'VN'",
      "'vn'",
      'cdp.config.ts:6:3 CONFIG_INVALID: cdp.config.ts: "region" must be the two capital letters of a country, such as VN.',
    ],
    [
      'a zone that is none',
      'Asia/Ho_Chi_Minh',
      'Asia/Saigonn',
      'cdp.config.ts:7:3 CONFIG_INVALID: cdp.config.ts: "timeZone" must be a time zone such as Asia/Ho_Chi_Minh or UTC.',
    ],
    [
      'no warehouse',
      /warehouses: \{[\s\S]*?\n {2}\}/,
      'warehouses: {}',
      'cdp.config.ts:8:3 CONFIG_INVALID: cdp.config.ts: "warehouses" must name at least one.',
    ],
    [
      'a source that is none',
      'shop: customers',
      'shop: { streams: {} }',
      'cdp.config.ts:12:14 CONFIG_INVALID: cdp.config.ts: "sources.shop" must be a source, which is what a connector’s function returns.',
    ],
    [
      'a source with a bad name',
      'shop: customers',
      "'my-shop': customers",
      'cdp.config.ts:12:14 CONFIG_INVALID: cdp.config.ts: "sources.my-shop" must be lower-case letters, digits and underscores, starting with a letter, because it is part of raw.<source>_<stream>.',
    ],
    [
      'an unknown consent model',
      "consent: 'consent'",
      "consent: 'consents'",
      'cdp.config.ts:13:3 CONFIG_INVALID: cdp.config.ts: consent: there is no model "consents". Did you mean "consent"?',
    ],
    [
      'a schedule with an unknown word',
      "run: '*', sync",
      "run: '*', synk",
      'cdp.config.ts:14:43 CONFIG_INVALID: cdp.config.ts: there is no "synk" here. Did you mean "sync"?',
    ],
  ]
  for (const [title, from, to, expected] of configs) {
    it(`name ${title} with its place`, async () => {
      expect((await folderOf(changed('cdp.config.ts', from, to)).problems())[0]).toBe(expected)
    })
  }

  const streams: readonly (readonly [string, string, string])[] = [
    ["key: ['id'], cursor", "kye: ['id'], cursor", 'there is no "kye" here. Did you mean "key"?'],
    [
      'decimal(18,2)',
      'money',
      '"sources.shop.streams.orders.types.total" must be integer, decimal(18,2), double, boolean, date, timestamp, text or json.',
    ],
    [
      "path: env('SHOP_FILES', 'data/*.csv')",
      'path: 3',
      '"sources.shop.streams.customers.from.path" must be text or env(…).',
    ],
    ["kind: 'scan'", "kind: 'scam' as 'scan'", '"sources.shop.streams.customers.from.kind"'],
  ]
  for (const [from, to, expected] of streams) {
    it(`say what is wrong with a stream: ${to}`, async () => {
      const problems = await folderOf(changed('sources/shop.ts', from, to)).problems()
      expect(problems[0]).toContain(expected)
      expect(problems[0]).toContain('cdp.config.ts:12')
    })
  }

  it('name two streams that would land in one relation', async () => {
    const source = "defineSource({ streams: { orders_all: { from: { kind: 'scan', path: 'a.csv' } } } })"
    const other = "defineSource({ streams: { all: { from: { kind: 'scan', path: 'b.csv' } } } })"
    const config = (shop['cdp.config.ts'] ?? '')
      .replace('sources: { shop: customers }', `sources: { shop: ${source}, shop_orders: ${other}, }`)
      .replace('{ defineProject', '{ defineSource, defineProject')
    const problems = await folderOf({ 'cdp.config.ts': config.replace("  consent: 'consent',\n", '') }).problems()
    expect(problems).toEqual([
      expect.stringContaining(
        'streams shop.orders_all and shop_orders.all would both land in raw.shop_orders_all. Rename one of them.',
      ),
    ])
  })

  const syncs: readonly (readonly [string, string | RegExp, string, string])[] = [
    [
      'an unknown model',
      "from: 'people'",
      "from: 'peopel'",
      'syncs/people-to-webhook.ts:5:3 SYNC_INVALID: Sync people-to-webhook: from: there is no model "peopel". Did you mean "people"?',
    ],
    [
      'a mode that is none',
      "mode: 'mirror'",
      "mode: 'miror' as 'mirror'",
      '"mode" must be upsert, update, insert, mirror or append. Did you mean "mirror"?',
    ],
    [
      'a key that is not there',
      "key: { email: 'email' }",
      'key: {}',
      'syncs/people-to-webhook.ts:7:3 SYNC_INVALID: Sync people-to-webhook: "key" must name at least one match key.',
    ],
    [
      'an unknown setting',
      "tags: ['daily']",
      "tag: ['daily']",
      'syncs/people-to-webhook.ts:11:3 SYNC_INVALID: Sync people-to-webhook: there is no "tag" here. Did you mean "tags"?',
    ],
    [
      'a guard that is no bound',
      "tags: ['daily']",
      "guard: { maxRemovals: '20' as '20%' }",
      'syncs/people-to-webhook.ts:11:12 SYNC_INVALID: Sync people-to-webhook: "guard.maxRemovals" must be a count such as 100, or a percent such as "20%".',
    ],
    [
      'a field to clear that is not mapped',
      "tags: ['daily']",
      "clear: ['nam' as 'name']",
      'syncs/people-to-webhook.ts:11:3 SYNC_INVALID: Sync people-to-webhook: clear: "nam" is not in map. Did you mean "name"?',
    ],
    [
      'a removal that is not asked',
      "tags: ['daily']",
      "remove: 'archive'",
      'syncs/people-to-webhook.ts:11:3 SYNC_INVALID: Sync people-to-webhook: remove: webhook takes none.',
    ],
    [
      'no destination',
      /to: webhook\(.*\)/,
      'to: webhook as never',
      'syncs/people-to-webhook.ts:6:3 SYNC_INVALID: Sync people-to-webhook: "to" must be a destination, which is what a connector’s function returns.',
    ],
    [
      'a duplicate id',
      "from: 'people'",
      "id: 'people-to-file', from: 'people'",
      'syncs/people-to-webhook.ts:5:3 SYNC_DUPLICATE: Two syncs have the id people-to-file: syncs/people-to-file.ts and syncs/people-to-webhook.ts.',
    ],
  ]
  for (const [title, from, to, expected] of syncs) {
    it(`name ${title} in a sync`, async () => {
      const problems = await folderOf(changed('syncs/people-to-webhook.ts', from, to)).problems()
      expect(problems.at(-1)).toContain(expected)
    })
  }

  it('hold a sync against the fields, keys, modes and removals of its destination', async () => {
    const destination = `import { defineDestination, defineSync } from 'composable-cdp'
import { z } from 'zod'
const crm = defineDestination({
  name: 'crm', target: 'crm', modes: ['upsert', 'mirror'], removes: ['archive', 'clear'], semantics: 'state', takes: 'changes',
  confirmation: 'rows', limits: { batch: 1, inFlight: 1 }, settings: [],
  key: z.object({ email: z.string().optional(), id: z.string() }),
  record: z.object({ firstname: z.string().optional(), lastname: z.string() }),
  open: () => Promise.reject(new Error()),
})
`
    const sync = (body: string): Record<string, string> => ({
      ...shop,
      'syncs/crm.ts': `${destination}export default defineSync({ from: 'people', to: crm, purpose: 'p', ${body} } as never)\n`,
    })
    // zod is found as a project's own dependency would be.
    const linked = (body: string): Promise<string[]> => {
      const folder = folderOf({
        ...sync(body),
        'node_modules/zod/package.json': '{"name":"zod","version":"0.0.0","main":"index.cjs"}',
        'node_modules/zod/index.cjs': `module.exports = require(${JSON.stringify(new URL('../../node_modules/zod/index.cjs', import.meta.url).pathname)})`,
      })
      return folder.problems()
    }
    expect(await linked("key: { id: 'person_id' }, map: { lastname: 'name' }, mode: 'upsert'")).toEqual([])
    const problems = await linked("key: { mail: 'email' }, map: { firstnam: 'name' }, mode: 'mirror'")
    expect(problems.map((problem) => problem.slice(problem.indexOf(' crm: ') + 6))).toEqual([
      'key.mail: there is no match key of crm called "mail". Did you mean "email"?',
      'map.firstnam: there is no field of crm called "firstnam". Did you mean "firstname"?',
      'map: crm needs the field "lastname".',
      'key: crm needs the match key "id".',
      "mode: mirror removes rows; say what a removal does at crm: remove: 'archive' or 'clear'.",
    ])
    const more = await linked("key: { id: 'person_id' }, map: { lastname: 'name' }, mode: 'append', remove: 'archiv'")
    expect(more.map((problem) => problem.slice(problem.indexOf(' crm: ') + 6))).toEqual([
      'mode: crm does not know "append", only upsert, mirror.',
      'remove: it must be archive or clear. Did you mean "archive"?',
    ])
  })

  it('ask for a purpose where the project requires one, and for consent where a sync names one', async () => {
    const required = await folderOf(
      changed('cdp.config.ts', "consent: 'consent',", "consent: 'consent', requirePurpose: true,"),
    ).problems()
    expect(required).toEqual([
      'syncs/people-to-file.ts SYNC_INVALID: Sync people-to-file: it names no purpose, and cdp.config.ts says requirePurpose: true.',
    ])
    const without = await folderOf(changed('cdp.config.ts', "  consent: 'consent',\n", '')).problems()
    expect(without).toEqual([
      "syncs/people-to-webhook.ts:10:3 SYNC_INVALID: Sync people-to-webhook: purpose: the project names no consent model; add consent: '<model>' to cdp.config.ts.",
    ])
  })
})

describe('code that cannot be loaded', () => {
  const cases: readonly (readonly [string, string, string, string])[] = [
    [
      'a syntax error',
      'sources/shop.ts',
      'export const customers = {\n  a: ,\n}\n',
      'sources/shop.ts:2:6 CONFIG_LOAD: sources/shop.ts could not be loaded: Unexpected token.',
    ],
    [
      'an error when it runs',
      'sources/shop.ts',
      'const x: string | undefined = undefined\n\nexport const customers = (x as never as string).length\n',
      "sources/shop.ts:3 CONFIG_LOAD: sources/shop.ts could not be loaded: Cannot read properties of undefined (reading 'length').",
    ],
    ['a file that is not there', 'sources/shop.ts', "export { customers } from './nothere.ts'\n", 'sources/shop.ts'],
    [
      'a connector that is none',
      'syncs/people-to-file.ts',
      "import { x } from 'composable-cdp/connectors/webhok'\nexport default x\n",
      'syncs/people-to-file.ts:1:20 CONFIG_LOAD: syncs/people-to-file.ts could not be loaded: there is no connector composable-cdp/connectors/webhok. Did you mean "webhook"?',
    ],
    [
      'a connector that refuses its settings',
      'syncs/people-to-file.ts',
      "import { defineSync } from 'composable-cdp'\nimport { file } from 'composable-cdp/connectors/file'\nexport default defineSync({ from: 'people',\n  to: file({ path: 'people.txt' }), key: { email: 'email' }, map: {}, mode: 'mirror' })\n",
      'syncs/people-to-file.ts:4 DESTINATION_OPTION',
    ],
  ]
  for (const [title, file, text, expected] of cases) {
    it(`is placed: ${title}`, async () => {
      const problems = await folderOf({ ...shop, [file]: text }).problems()
      expect(problems).toEqual([expect.stringContaining(expected)])
    })
  }
})
