// The compiled project in its file: when it counts, what it never holds, and how little is loaded to read it.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { isSecret } from '../../src/core/secret.ts'
import { openCompiled } from '../../src/project/cache.ts'
import { folderOf, removeFolders, shop, type Folder } from './folder.ts'

afterEach(removeFolders)

// Files of a real project are seldom as young as these: age them, so that size and time alone are believed.
const age = (root: string): void => {
  const past = new Date(Date.now() - 60_000)
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!name.startsWith('.cdp')) utimesSync(join(root, name), past, past)
  }
}
const loaded = async (files: Readonly<Record<string, string>> = shop): Promise<Folder> => {
  const folder = folderOf(files)
  age(folder.root)
  await folder.load()
  return folder
}
const good = async (folder: Folder, target?: string): Promise<boolean> =>
  (await openCompiled(folder.root, target)) !== undefined

describe('a compiled project', () => {
  it('is read back equal, with secrets as references', async () => {
    const folder = folderOf(shop)
    const { compiled } = await folder.load()
    const again = await openCompiled(folder.root)
    expect(JSON.stringify(again)).toBe(JSON.stringify(compiled))
    const path = again?.warehouse.settings['path']
    expect(isSecret(path) && [path.name, path.fallback]).toEqual(['SHOP_DB', '.cdp/shop.duckdb'])
    const customers = again?.streams[0]
    expect(customers?.from.kind === 'scan' && isSecret(customers.from.path)).toBe(true)
    expect(again?.syncs[1]?.secrets.map((secret) => (isSecret(secret) ? secret.name : secret))).toEqual([
      'HOOK_URL',
      'HOOK_SECRET',
    ])
  })

  it('never holds a value from the environment', async () => {
    process.env['HOOK_SECRET'] = 'very-secret-value'
    try {
      const folder = await loaded()
      expect(readFileSync(join(folder.root, '.cdp/cache/_default.json'), 'utf8')).not.toContain('very-secret-value')
    } finally {
      delete process.env['HOOK_SECRET']
    }
  })

  it('is kept for each target', async () => {
    const folder = folderOf(shop)
    await folder.load('other')
    expect(await good(folder)).toBe(false)
    expect((await openCompiled(folder.root, 'other'))?.target).toBe('other')
    await folder.load()
    expect((await openCompiled(folder.root))?.target).toBe('local')
    expect(await good(folder, 'nowhere')).toBe(false)
  })

  it('counts again when a file was only touched', async () => {
    const folder = await loaded()
    utimesSync(join(folder.root, 'models/people.sql'), new Date(), new Date())
    expect(await good(folder)).toBe(true)
  })

  const changes: readonly (readonly [string, (folder: Folder) => void])[] = [
    ['a model', (folder) => folder.write('models/people.sql', `${shop['models/people.sql']}-- more\n`)],
    [
      'a model by as many letters',
      (folder) => folder.write('models/consent.sql', (shop['models/consent.sql'] ?? '').replace('true', 'null')),
    ],
    ['a new model', (folder) => folder.write('models/new.sql', 'select 1')],
    ['a new model in a new folder', (folder) => folder.write('models/deep/er/new.sql', 'select 1')],
    ['a model that is gone', (folder) => folder.remove('models/consent.sql')],
    ['a sync', (folder) => folder.write('syncs/people-to-file.ts', `${shop['syncs/people-to-file.ts']} `)],
    ['a new sync', (folder) => folder.write('syncs/new.ts', '')],
    [
      'a file that the configuration imports',
      (folder) => folder.write('sources/shop.ts', `${shop['sources/shop.ts']} `),
    ],
  ]
  for (const [title, change] of changes) {
    it(`does not count after ${title} changed`, async () => {
      const folder = await loaded()
      expect(await good(folder)).toBe(true)
      change(folder)
      expect(await good(folder)).toBe(false)
    })
  }

  it('does not count after a change in the very moment it was read', async () => {
    const folder = folderOf(shop)
    await folder.load()
    const file = join(folder.root, 'models/consent.sql')
    const { mtime } = statSync(file)
    writeFileSync(file, (shop['models/consent.sql'] ?? '').replace('true', 'null'))
    utimesSync(file, mtime, mtime)
    expect(await good(folder)).toBe(false)
  })

  it('does not count when the syncs folder appears, or a package or a variable it reads is another', async () => {
    const config = `import { defineProject, duckdb } from 'composable-cdp'
import { source } from 'a-connector'
export default defineProject({ name: process.env.SHOP_NAME ?? 'shop', warehouses: { local: duckdb({ path: ':memory:' }) }, sources: { a: source } })
`
    const files = {
      'cdp.config.ts': config,
      'models/a.sql': 'select 1 as x',
      'node_modules/a-connector/package.json':
        '{"name":"a-connector","version":"1.0.0","main":"index.js","type":"module"}',
      'node_modules/a-connector/index.js':
        "import { defineSource } from 'composable-cdp'\nexport const source = defineSource({ streams: {} })\n",
    }
    const folder = await loaded(files)
    expect(await good(folder)).toBe(true)
    process.env['SHOP_NAME'] = 'other'
    expect(await good(folder)).toBe(false)
    delete process.env['SHOP_NAME']
    expect(await good(folder)).toBe(true)
    folder.write(
      'node_modules/a-connector/package.json',
      files['node_modules/a-connector/package.json'].replace('1.0.0', '1.0.1'),
    )
    expect(await good(folder)).toBe(false)
    await folder.load()
    mkdirSync(join(folder.root, 'syncs'))
    expect(await good(folder)).toBe(false)
  })

  it('that is torn, of another version or of another folder does not count', async () => {
    const folder = await loaded()
    const file = join(folder.root, '.cdp/cache/_default.json')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.slice(0, -10))
    expect(await good(folder)).toBe(false)
    writeFileSync(file, text.replace(/"madeBy":"[^"]*"/, '"madeBy":"0.0.1"'))
    expect(await good(folder)).toBe(false)
    writeFileSync(file, text.replaceAll(folder.root, '/elsewhere'))
    expect(await good(folder)).toBe(false)
    rmSync(file)
    expect(await good(folder)).toBe(false)
  })

  it('is not kept of a project with a problem', async () => {
    const folder = folderOf({ ...shop, 'models/people.sql': 'selct' })
    expect(await folder.problems()).not.toEqual([])
    expect(existsSync(join(folder.root, '.cdp/cache/_default.json'))).toBe(false)
  })
})

describe('reading a compiled project', () => {
  it('loads Node’s own modules and a handful of ours, and no parser, loader or query builder', () => {
    const entry = fileURLToPath(new URL('../../src/project/cache.ts', import.meta.url))
    const files = new Set<string>()
    const packages = new Set<string>()
    const open = [entry]
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      if (files.has(file)) continue
      files.add(file)
      const text = readFileSync(file, 'utf8')
      // What is imported when the module is, that is: neither types nor `import(…)`.
      for (const [whole, name = ''] of text.matchAll(/^(?:import|export)\s(?:[\w*{}\s,$]+\sfrom\s+)?'([^']+)'/gm)) {
        if (/^(?:import|export)\s+type\b/.test(whole)) continue
        if (name.startsWith('.')) open.push(join(dirname(file), name))
        else packages.add(name)
      }
    }
    expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual([])
    const names = [...files].map((file) => file.replace(/^.*\/src\//, '')).toSorted()
    expect(names).toEqual([
      'core/error-catalogue.ts',
      'core/errors.ts',
      'core/hash.ts',
      'core/package.ts',
      'core/secret.ts',
      'project/cache.ts',
      'project/inputs.ts',
    ])
  })
})
