// Runs the project's TypeScript by jiti, with `composable-cdp` and its connectors being this very package: one instance, whatever
// the project has installed, so that a secret that a connector reads is redacted by the command line.
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { createJiti } from 'jiti'
import { CdpError, isCdpError, isProblems, reasonOf, type Place } from '../core/errors.ts'
import { didYouMean } from '../core/nearest.ts'
import type { ProjectCode } from './code.ts'
import { placeAt } from './places.ts'

export interface ImportedCode {
  /** Default exports by file; a file that failed is not here. */
  readonly exports: ReadonlyMap<string, unknown>
  readonly problems: readonly CdpError[]
}

const own = 'composable-cdp'

export const importCode = async (
  root: string,
  entries: readonly string[],
  code: ProjectCode,
): Promise<ImportedCode> => {
  const problems: CdpError[] = []
  const virtual: Record<string, unknown> = { [own]: await import('composable-cdp') }
  for (const [name, { file, index }] of code.connectors) {
    const connectors = connectorNames()
    if (!connectors.includes(name)) {
      const reason = `there is no connector ${own}/connectors/${name}.${didYouMean(name, connectors)}`
      problems.push(
        new CdpError('CONFIG_LOAD', { file, reason }, { place: placeAt(file, code.files.get(file) ?? '', index) }),
      )
      continue
    }
    virtual[`${own}/connectors/${name}`] = await import(`composable-cdp/connectors/${name}`)
  }
  const exports = new Map<string, unknown>()
  if (problems.length > 0) return { exports, problems }
  const jiti = createJiti(join(root, 'cdp.config.ts'), {
    virtualModules: virtual,
    fsCache: join(root, '.cdp', 'cache', 'code'),
    interopDefault: false,
  })
  // A process that loads a project twice must see what changed in between.
  for (const file of code.files.keys()) Reflect.deleteProperty(jiti.cache, join(root, file))
  for (const file of entries) {
    try {
      const loaded = await jiti.import<{ readonly default?: unknown }>(join(root, file))
      exports.set(file, loaded.default)
    } catch (thrown) {
      problems.push(...problemsOf(root, file, thrown))
    }
  }
  return { exports, problems: once(problems) }
}

// A fault in a shared file is met by each file that imports it.
const once = (problems: readonly CdpError[]): CdpError[] => [
  ...new Map(
    problems.map((problem) => [`${problem.place?.file}:${problem.place?.line} ${problem.message}`, problem]),
  ).values(),
]

const connectorNames = (): string[] => {
  const folder = new URL('../../connectors/', import.meta.url)
  const names = readdirSync(folder).filter((name) => /\.[jt]s$/.test(name) && !/\.(d\.ts|sandbox\.[jt]s)$/.test(name))
  return names.map((name) => name.replace(/\.[jt]s$/, ''))
}

const problemsOf = (root: string, file: string, thrown: unknown): CdpError[] => {
  if (isProblems(thrown)) return thrown.problems.flatMap((problem) => problemsOf(root, file, problem))
  const place = placeOfThrown(root, thrown) ?? { file }
  if (isCdpError(thrown)) {
    return [thrown.place === undefined ? new CdpError(thrown.code, thrown.args, { place, cause: thrown }) : thrown]
  }
  const reason = reasonOf(thrown)
    .replace(/^(ParseError|SyntaxError): /, '')
    .split('\n')[0]
    ?.trim()
    .replace(/\.$/, '')
  return [new CdpError('CONFIG_LOAD', { file: place.file, reason: `${reason}.` }, { place, cause: thrown })]
}

// In the message of a parser (whose columns start at 0), else the first line of the stack that is the project's own, whose columns are
// those of the text that was run.
const placeOfThrown = (root: string, thrown: unknown): Place | undefined => {
  if (!(thrown instanceof Error)) return undefined
  const [said] = placesIn(root, thrown.message)
  if (said !== undefined) return { ...said, column: (said.column ?? 0) + 1 }
  const [met] = placesIn(root, thrown.stack ?? '')
  return met && { file: met.file, line: met.line ?? 1 }
}

const placesIn = (root: string, text: string): Place[] =>
  [...text.matchAll(/((?:file:\/\/)?\/[^\s():]+|[A-Z]:\\[^():]+):(\d+):(\d+)/g)].flatMap(
    ([, path = '', line, column]) => {
      const file = relative(root, path.replace(/^file:\/\//, '')).replaceAll('\\', '/')
      const outside = file.startsWith('..') || file.includes('node_modules/')
      return outside ? [] : [{ file, line: Number(line), column: Number(column) }]
    },
  )
