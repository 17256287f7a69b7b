// Twins are found by listing folders: no list names a connector.
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { hasBrand } from '../core/brand.ts'
import { CdpError, reasonOf } from '../core/errors.ts'
import type { Twin } from './twin.ts'

/**
 * The twins in these folders, by name: every `<name>.sandbox.ts` or `.js` in them. Of two with one name the later folder's counts,
 * so that a project can replace a twin of the package. Folders that do not exist are passed over.
 * Throws SANDBOX_TWIN for a file that cannot be loaded or exports no twin.
 *
 * @example
 * const twins = await discoverTwins([packageConnectors, join(root, 'connectors')])
 */
export const discoverTwins = async (
  folders: readonly string[],
  importFile: (file: string) => Promise<unknown> = importAny,
): Promise<Twin[]> => {
  const found = new Map<string, Twin>()
  for (const folder of new Set(folders.map((each) => resolve(each)))) {
    if (!existsSync(folder)) continue
    for (const name of readdirSync(folder).toSorted()) {
      if (!/^[^.]+\.sandbox\.[cm]?[jt]s$/.test(name)) continue
      const twin = await load(join(folder, name), importFile)
      found.set(twin.name, twin)
    }
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

const load = async (file: string, importFile: (file: string) => Promise<unknown>): Promise<Twin> => {
  let loaded: unknown
  try {
    loaded = await importFile(file)
  } catch (thrown) {
    throw new CdpError('SANDBOX_TWIN', { file, problem: reasonOf(thrown) }, { cause: thrown })
  }
  const twin = typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : undefined
  if (!isTwin(twin)) throw new CdpError('SANDBOX_TWIN', { file, problem: 'it has no such default export' })
  if (!/^[a-z][a-z0-9-]*$/.test(twin.name)) {
    throw new CdpError('SANDBOX_TWIN', { file, problem: `its name "${twin.name}" cannot be a path (a-z, 0-9, -)` })
  }
  return twin
}

const isTwin = (value: unknown): value is Twin => hasBrand('twin', value)

// Node before 22.18 does not read TypeScript.
const importAny = async (file: string): Promise<unknown> => {
  if (file.endsWith('ts') && !('typescript' in process.features && process.features.typescript)) {
    const { createJiti } = await import('jiti')
    return createJiti(import.meta.url, { moduleCache: false }).import(file)
  }
  return import(pathToFileURL(file).href)
}
