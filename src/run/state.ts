// `cdp state`: what only the warehouse knows (person ids, the ledger of what was delivered, types decided at birth, cursors, decisions),
// as a folder of NDJSON files, so that a warehouse can be lost and built again without ids that jump or audiences sent twice.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CdpError, reasonOf } from '../core/errors.ts'
import { packageVersion } from '../core/package.ts'
import { engineRelations, keptRelations as kept, type EngineRelationName } from '../warehouse/relations.ts'
import { columnType } from '../warehouse/statements.ts'
import type { Reader, RelationName, Warehouse } from '../warehouse/warehouse.ts'

export interface StateSummary {
  readonly relation: string
  readonly rows: number
  readonly note: string | null
}

interface Manifest {
  readonly format: 1
  readonly madeBy: string
  readonly madeAt: string
  readonly relations: Readonly<Record<string, { readonly rows: number; readonly columns: readonly string[] }>>
}

export const exportState = async (
  warehouse: Warehouse,
  folder: string,
  at: string,
): Promise<readonly StateSummary[]> => {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const summaries: StateSummary[] = []
  const relations: Record<string, { rows: number; columns: string[] }> = {}
  for (const name of kept) {
    const columns = Object.keys(engineRelations[name].columns)
    const list = columns.map((column) => warehouse.quote(column)).join(', ')
    const from = warehouse.name({ schema: 'cdp', name })
    const file = join(folder, `${name}.ndjson`)
    const rows = await warehouse.unload(`select ${list} from ${from}`, file)
    await chmod(file, 0o600)
    relations[name] = { rows, columns }
    summaries.push({ relation: name, rows, note: null })
  }
  const manifest: Manifest = { format: 1, madeBy: packageVersion(), madeAt: at, relations }
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 })
  return summaries
}

/** Restores an export into a warehouse whose state is empty; one that is not is refused, and nothing is changed. */
export const importState = async (warehouse: Warehouse, folder: string): Promise<readonly StateSummary[]> => {
  const manifest = await readManifest(folder)
  const held = []
  for (const name of kept) {
    const [row] = await warehouse.all<{ n: number }>(
      `select count(*) as n from ${warehouse.name({ schema: 'cdp', name })}`,
    )
    if ((row?.n ?? 0) > 0) held.push(name)
  }
  if (held.length > 0) throw new CdpError('STATE_NOT_EMPTY', { relations: held })
  const landed = new Set((await warehouse.relations('raw')).map((relation) => relation.name))
  const parts = kept.flatMap((name) => {
    const found = manifest.relations[name]
    return found === undefined ? [] : [partOf(warehouse.reader, folder, { name, ...found }, landed)]
  })
  return warehouse.supports.transactionalDdl
    ? warehouse.transaction(() => loadAll(warehouse, parts, (part) => ({ schema: 'cdp', name: part.name })))
    : importByScratch(warehouse, parts)
}

interface Part {
  readonly name: EngineRelationName
  readonly rows: number
  readonly columns: readonly string[]
  /** Over the embedded reader. */
  readonly select: string
}

const partOf = (
  reader: Reader,
  folder: string,
  found: { readonly name: EngineRelationName; readonly rows: number; readonly columns: readonly string[] },
  landed: ReadonlySet<string>,
): Part => {
  const { name, rows } = found
  const known: Readonly<Record<string, string>> = engineRelations[name].columns
  const columns = found.columns.filter((column) => column in known)
  const types = columns.map(
    (column) => `${reader.quote(column)}: ${reader.literal(reader.typeName(columnType(known[column] ?? 'text')))}`,
  )
  const file = reader.literal(join(folder, `${name}.ndjson`))
  // A cursor says that rows before it are here; without the raw relation they are not.
  const where =
    name === 'cursors'
      ? ` where replace(stream, '.', '_') in (${[...landed, ''].map((relation) => reader.literal(relation)).join(', ')})`
      : ''
  const list = columns.map((column) => reader.quote(column)).join(', ')
  const from = `read_json(${file}, format = 'newline_delimited', columns = {${types.join(', ')}})`
  return { name, rows, columns, select: `select ${list} from ${from}${where}` }
}

const loadAll = async (
  warehouse: Warehouse,
  parts: readonly Part[],
  target: (part: Part) => RelationName,
): Promise<StateSummary[]> => {
  const summaries: StateSummary[] = []
  for (const part of parts) {
    const rows = part.rows === 0 ? 0 : await warehouse.load(target(part), part.columns, part.select)
    const left = part.rows - rows
    const note = left > 0 ? `${left} left out: their landed rows are not in this warehouse` : null
    summaries.push({ relation: part.name, rows, note })
  }
  return summaries
}

// Loads are no part of a transaction there: into work tables first, and from those all at once.
const importByScratch = async (warehouse: Warehouse, parts: readonly Part[]): Promise<StateSummary[]> => {
  const staged = (part: Part): RelationName => ({ schema: 'scratch', name: `import_${part.name}` })
  const filled = parts.filter((part) => part.rows > 0)
  try {
    for (const part of filled) {
      const types: Readonly<Record<string, string>> = engineRelations[part.name].columns
      const columns = part.columns.map(
        (column) => `${warehouse.quote(column)} ${warehouse.typeName(columnType(types[column] ?? 'text'))}`,
      )
      await warehouse.makeScratch(staged(part).name, `(${columns.join(', ')})`)
    }
    const summaries = await loadAll(warehouse, parts, staged)
    await warehouse.transaction(async () => {
      for (const part of filled) {
        const list = part.columns.map((column) => warehouse.quote(column)).join(', ')
        const target = warehouse.name({ schema: 'cdp', name: part.name })
        await warehouse.run(`insert into ${target} (${list}) select ${list} from ${warehouse.name(staged(part))}`)
      }
    })
    return summaries
  } finally {
    for (const part of filled) await warehouse.dropScratch(staged(part).name)
  }
}

const readManifest = async (folder: string): Promise<Manifest> => {
  const file = join(folder, 'manifest.json')
  if (!existsSync(file)) throw new CdpError('STATE_NOT_FOUND', { folder })
  const manifest = parse(file, await readFile(file, 'utf8'))
  if (manifest.format !== 1) throw new CdpError('STATE_FORMAT', { folder, madeBy: manifest.madeBy })
  return manifest
}

const parse = (file: string, text: string): Manifest => {
  try {
    return JSON.parse(text) as Manifest
  } catch (error) {
    throw new CdpError('STATE_UNREADABLE', { file, reason: reasonOf(error) }, { cause: error })
  }
}
