// The house's rules, kept by a test: who may import whom, who may write to stdout, and that no list names a connector.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = new URL('..', import.meta.url).pathname

// folder -> folders (or single files) of src it may import, besides itself
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  http: ['core'],
  warehouse: ['core'],
  ingest: ['core', 'warehouse', 'http'],
  identity: ['core', 'warehouse'],
  sync: ['core', 'warehouse', 'http'],
  models: ['core', 'warehouse', 'identity'],
  project: ['core', 'warehouse', 'models', 'ingest/source.ts', 'sync/define-sync.ts', 'sync/destination.ts'],
  run: ['core', 'warehouse', 'ingest', 'identity', 'sync', 'models', 'project'],
  sandbox: ['core'],
  cli: ['run', 'project', 'core', 'warehouse', 'sandbox'],
  testing: ['core', 'warehouse', 'ingest', 'sync', 'models', 'http', 'sandbox'],
}

const filesBelow = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(folder, file))

const importsOf = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)].map(
    (m) => m[1] ?? '',
  )

describe('the house', () => {
  it('lets a folder import only what the table allows', () => {
    const wrong: string[] = []
    for (const file of filesBelow('src')) {
      const parts = file.split('/')
      const folder = parts[1] ?? ''
      if (parts.length === 2) continue
      for (const target of importsOf(file).filter((name) => name.startsWith('.'))) {
        const path = join(file, '..', target).split('/').slice(1).join('/')
        const ok =
          path.startsWith(`${folder}/`) || (allowed[folder] ?? []).some((a) => path === a || path.startsWith(`${a}/`))
        if (!ok) wrong.push(`${file} imports ${target}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('knows every folder', () => {
    const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(folders.map((folder) => folder.name).toSorted()).toEqual(Object.keys(allowed).toSorted())
  })

  it('lets connectors import the package by name, and nothing of its sources or of each other', () => {
    const wrong = filesBelow('connectors').flatMap((file) =>
      importsOf(file)
        .filter((name) => name.startsWith('.'))
        .map((name) => `${file} imports ${name}`),
    )
    expect(wrong).toEqual([])
  })

  it('names no connector anywhere in src', () => {
    const names = filesBelow('connectors').map((file) => file.split('/').at(-1)?.split('.')[0] ?? '')
    const vendors = [...new Set(names)].filter(
      (name) => !['files', 'file', 'http', 'webhook', 'postgres'].includes(name),
    )
    const wrong = filesBelow('src').filter((file) => {
      const code = readFileSync(join(root, file), 'utf8')
        .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
        .replaceAll(/`[^`]*`/g, '')
      return vendors.some((vendor) => new RegExp(`\\b${vendor}\\b`, 'i').test(code))
    })
    expect(wrong).toEqual([])
  })

  it('writes to stdout in one place and ends the process in one place', () => {
    const stdout = filesBelow('src').filter((file) =>
      /process\.stdout|\bconsole\.(log|error|warn|info|debug|table)\b/.test(readFileSync(join(root, file), 'utf8')),
    )
    expect(stdout.filter((file) => !['src/cli/main.ts', 'src/cli/output.ts'].includes(file))).toEqual([])
    const exits = filesBelow('src').filter((file) => /process\.exit\b/.test(readFileSync(join(root, file), 'utf8')))
    expect(exits).toEqual(['src/cli/main.ts'])
  })

  it('says at the top of every file why it exists', () => {
    const silent = [...filesBelow('src'), ...filesBelow('connectors')].filter(
      (file) => !/^(#!.*\n)?(\/\/|\/\*)/.test(readFileSync(join(root, file), 'utf8')),
    )
    expect(silent).toEqual([])
  })
})
