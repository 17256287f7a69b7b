// The project's TypeScript before it is run: which files it reaches by relative imports, which connectors, packages and environment
// variables it names. All of these are inputs of the compiled project.
import { existsSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import type { Inputs } from './inputs.ts'

export interface ProjectCode {
  /** Texts by file, relative to the root. */
  readonly files: ReadonlyMap<string, string>
  /** `files` of `composable-cdp/connectors/files` -> the first file and index that names it. */
  readonly connectors: ReadonlyMap<string, { readonly file: string; readonly index: number }>
}

const imports = /(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)(['"])([^'"\n]+)\1/g
const own = 'composable-cdp'

/** Follows the relative imports of some files. */
export const readCode = (root: string, entries: readonly string[], inputs: Inputs): ProjectCode => {
  const files = new Map<string, string>()
  const connectors = new Map<string, { file: string; index: number }>()
  const open = [...entries]
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (files.has(file)) continue
    const text = inputs.text(file)
    if (text === undefined) continue
    files.set(file, text)
    const code = withoutComments(text)
    for (const [, name] of code.matchAll(/process\.env(?:\.|\[['"])(\w+)/g)) inputs.variable(name ?? '')
    for (const match of code.matchAll(imports)) {
      const name = match[2] ?? ''
      if (name.startsWith('.')) {
        const target = resolveRelative(root, file, name)
        if (target !== undefined) open.push(target)
      } else if (name.startsWith(`${own}/connectors/`)) {
        const connector = name.slice(own.length + '/connectors/'.length)
        if (!connectors.has(connector))
          connectors.set(connector, { file, index: match.index + match[0].lastIndexOf(name) })
      } else if (name !== own && !name.startsWith('node:')) {
        notePackage(root, name, inputs)
      }
    }
  }
  return { files, connectors }
}

// Blanked, so that indexes stay.
const withoutComments = (text: string): string =>
  text.replaceAll(/(^|[\s;{}(,])(\/\/[^\n]*|\/\*[\s\S]*?\*\/)/g, (whole) => whole.replaceAll(/[^\n]/g, ' '))

const resolveRelative = (root: string, from: string, name: string): string | undefined => {
  const base = posix.join(posix.dirname(from), name)
  const candidates = [
    base,
    base.replace(/\.([mc]?)js$/, '.$1ts'),
    ...['.ts', '.mts', '.js', '.mjs', '.json', '/index.ts', '/index.js'].map((end) => base + end),
  ]
  return candidates.find((candidate) => /\.\w+$/.test(candidate) && existsSync(join(root, candidate)))
}

// Another version of a connector's package may say other things: its package.json tells.
const notePackage = (root: string, name: string, inputs: Inputs): void => {
  const [scope = '', rest = ''] = name.split('/')
  const folder = join('node_modules', name.startsWith('@') ? `${scope}/${rest}` : scope, 'package.json')
  for (let at = root; ; at = dirname(at)) {
    if (existsSync(join(at, folder))) {
      inputs.text(relative(root, join(at, folder)).replaceAll('\\', '/'))
      return
    }
    if (dirname(at) === at) return
  }
}
