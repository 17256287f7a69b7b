// `cdp init`: a small project that works as written.
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { CommandModule } from '../commands.ts'
import { createOutput } from '../output.ts'
import { CdpError } from '../../core/errors.ts'
import { packageVersion } from '../../core/package.ts'

export const define: CommandModule['define'] = (command, act) => {
  command
    .argument('[folder]', 'where to write; made if absent', '.')
    .addHelpText(
      'after',
      `
Writes cdp.config.ts, a CSV of customers, an identity with profiles, a segment, and a sync to a webhook. Nothing that exists is overwritten.

Then:
  cdp run          land the CSV, build the models
  cdp sandbox &    a stand-in for the receiving end
  cdp plan         what would be sent
  cdp sync`,
    )
    .action((folder: string) =>
      act(async (globals) => {
        const output = createOutput(process, {
          json: globals.json === true,
          quiet: globals.quiet === true,
          color: false,
        })
        const root = resolve(folder)
        const files = projectFiles(basename(root))
        const present = Object.keys(files).filter((file) => existsSync(join(root, file)))
        if (present.length > 0) throw new CdpError('INIT_EXISTS', { folder: root, files: present })
        for (const [file, text] of Object.entries(files)) {
          await mkdir(dirname(join(root, file)), { recursive: true })
          await writeFile(join(root, file), text)
        }
        output.rows(Object.keys(files).map((file) => ({ written: file })))
        output.note(
          `\nNext:${root === process.cwd() ? '' : ` cd ${folder} &&`} npm install && npx cdp run && npx cdp plan`,
        )
        return 0
      }),
    )
}

const projectFiles = (folder: string): Readonly<Record<string, string>> => {
  const name = folder.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_') || 'project'
  return {
    'package.json': `${JSON.stringify({ name, private: true, type: 'module', dependencies: { 'composable-cdp': `^${packageVersion()}` } }, null, 2)}\n`,
    '.gitignore': 'node_modules/\n.cdp/\n',
    'cdp.config.ts': `import { defineProject, duckdb } from 'composable-cdp'
import { files } from 'composable-cdp/connectors/files'

export default defineProject({
  name: '${name}',
  region: 'VN', // country of phone numbers written without one
  timeZone: 'Asia/Ho_Chi_Minh',
  warehouses: {
    local: duckdb({ path: '.cdp/${name}.duckdb' }),
    // With bigquery and env imported too, \`cdp run --target production\` does the same there:
    // production: bigquery({ project: env('GCP_PROJECT'), location: 'asia-southeast1', maximumBytesBilled: '50 GB' }),
  },
  sources: {
    shop: files({
      streams: {
        customers: { path: 'data/customers*.csv', key: ['id'], types: { spent: 'decimal(18,2)' } },
      },
    }),
  },
})
`,
    'data/customers.csv': `id,email,phone,full_name,spent,updated_at
1,an.nguyen@example.com,0912 345 678,Nguyễn Văn An,1250000,2026-10-01T08:00:00Z
2,binh@example.com,+84 987 654 321,Trần Thị Bình,90000,2026-10-02T08:00:00Z
3,AN.NGUYEN@example.com,,Nguyen Van An,300000,2026-10-03T08:00:00Z
`,
    'models/customers.sql': `/*
kind: identity
description: which rows of the shop are the same person
record: [id]
seen_at: updated_at
names: [full_name]
identifiers:
  email: { max_shared_by: 50 }
  phone: { max_shared_by: 50 }
*/
select id, 'shop' as source, cdp.normalize_email(email) as email, cdp.normalize_phone(phone, 'VN') as phone,
       cdp.normalize_name(full_name) as full_name, spent, cdp.safe_timestamp(updated_at) as updated_at
from raw.shop_customers
`,
    'models/profiles.sql': `/*
kind: profile
description: one row a person
of: customers
traits:
  full_name: latest
  email: latest
  phone: latest
  spent: sum
tests: [{ unique: person_id }, { not_null: person_id }]
*/
select * from customers
`,
    'models/segments/big_spenders.sql': `/*
kind: segment
description: people who spent a million or more
*/
select person_id, email, full_name, spent from profiles where spent >= 1000000
`,
    'syncs/big-spenders.ts': `import { defineSync, env } from 'composable-cdp'
import { webhook } from 'composable-cdp/connectors/webhook'

export default defineSync({
  from: 'big_spenders',
  to: webhook({ url: env('WEBHOOK_URL', 'http://127.0.0.1:8474/webhook') }), // cdp sandbox listens there
  key: { email: 'email' },
  map: { name: 'full_name', spent: 'spent' },
  mode: 'mirror',
})
`,
  }
}
