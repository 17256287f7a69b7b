// A project in a temporary folder, written from texts.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { formatPlace, isProblems, type CdpError } from '../../src/core/errors.ts'
import { loadProject, type LoadedProject } from '../../src/project/load.ts'

export interface Folder {
  readonly root: string
  write(file: string, text: string): void
  remove(file: string): void
  load(target?: string): Promise<LoadedProject>
  /** The problems that loading finds, as a person sees them. */
  problems(): Promise<string[]>
}

const folders: string[] = []

/** Removes every folder that was made; for afterEach. */
export const removeFolders = (): void => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

export const folderOf = (files: Readonly<Record<string, string>>): Folder => {
  const root = mkdtempSync(join(tmpdir(), 'cdp-project-'))
  folders.push(root)
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), text)
  }
  for (const [file, text] of Object.entries(files)) write(file, text)
  return {
    root,
    write,
    remove: (file) => rmSync(join(root, file)),
    load: (target) => loadProject(root, target),
    problems: async () => {
      try {
        await loadProject(root)
        return []
      } catch (thrown) {
        if (!isProblems(thrown)) throw thrown
        return thrown.problems.map(said)
      }
    },
  }
}

export const said = (problem: CdpError): string =>
  `${problem.place ? formatPlace(problem.place) : '?'} ${problem.code}: ${problem.message}`

/** A project with a source of files and one of pages, two models, and two syncs. */
export const shop: Readonly<Record<string, string>> = {
  'cdp.config.ts': `import { defineProject, duckdb, env } from 'composable-cdp'
import { customers } from './sources/shop.ts'

export default defineProject({
  name: 'shop',
  region: 'VN',
  timeZone: 'Asia/Ho_Chi_Minh',
  warehouses: {
    local: duckdb({ path: env('SHOP_DB', '.cdp/shop.duckdb') }),
    other: duckdb({ path: 'other.duckdb', memoryLimit: '1GB' }),
  },
  sources: { shop: customers },
  consent: 'consent',
  schedule: { '*/15 * * * *': { run: '*', sync: '*' } },
})
`,
  'sources/shop.ts': `import { defineSource, env, type Page } from 'composable-cdp'

export const customers = defineSource({
  streams: {
    customers: { key: ['id'], cursor: 'at', from: { kind: 'scan', path: env('SHOP_FILES', 'data/*.csv') } },
    orders: {
      key: ['id'],
      types: { total: 'decimal(18,2)' },
      from: {
        kind: 'pages',
        settings: [{ url: env('SHOP_API') }],
        async *read(): AsyncIterable<Page> {
          yield { rows: [{ id: 1 }] }
        },
      },
    },
  },
})
`,
  'models/people.sql':
    '/*\nkind: table\ntags: [daily]\n*/\nselect id as person_id, email, name from raw.shop_customers\n',
  'models/consent.sql': "select person_id, 'marketing.email' as purpose, true as granted from people\n",
  'syncs/people-to-webhook.ts': `import { defineSync, env } from 'composable-cdp'
import { webhook } from 'composable-cdp/connectors/webhook'

export default defineSync({
  from: 'people',
  to: webhook({ url: env('HOOK_URL'), secret: env('HOOK_SECRET', 'not-a-secret') }),
  key: { email: 'email' },
  map: { name: 'name', source: { value: 'shop' } },
  mode: 'mirror',
  purpose: 'marketing.email',
  tags: ['daily'],
})
`,
  'syncs/people-to-file.ts': `import { defineSync } from 'composable-cdp'
import { file } from 'composable-cdp/connectors/file'

export default defineSync({
  from: 'people',
  to: file({ path: 'out/people.csv' }),
  key: { email: 'email' },
  map: { name: 'name' },
  mode: 'mirror',
})
`,
}
