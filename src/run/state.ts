// `cdp state`: what only the warehouse knows (person ids, the ledger of what was delivered, types decided at birth, cursors, decisions),
// as a folder of NDJSON files, so that a warehouse can be lost and built again without ids that jump or audiences sent twice.
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CdpError, reasonOf } from '../core/errors.ts'
import { packageVersion } from '../core/package.ts'
import { engineRelations, keptRelations as kept } from '../warehouse/relations.ts'
import type { ColumnType, Warehouse } from '../warehouse/warehouse.ts'

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
  return await warehouse.transaction(async () => {
    const summaries: StateSummary[] = []
    for (const name of kept) {
      const found = manifest.relations[name]
      if (found === undefined) continue
      const { columns } = engineRelations[name]
      const known = found.columns.filter((column) => column in columns)
      const types = known.map((column) => {
        const type = ((columns as Record<string, string>)[column] ?? 'text').replace('?', '') as ColumnType
        return `${warehouse.quote(column)}: ${warehouse.literal(warehouse.typeName(type))}`
      })
      const file = warehouse.literal(join(folder, `${name}.ndjson`))
      const reader = `select ${known.map((c) => warehouse.quote(c)).join(', ')} from read_json(${file}, format = 'newline_delimited', columns = {${types.join(', ')}})`
      // A cursor says that rows before it are here; without the raw relation they are not.
      const where =
        name === 'cursors'
          ? ` where replace(stream, '.', '_') in (${[...landed, ''].map((r) => warehouse.literal(r)).join(', ')})`
          : ''
      const rows = found.rows === 0 ? 0 : await warehouse.load({ schema: 'cdp', name }, known, `${reader}${where}`)
      const note =
        rows < found.rows ? `${found.rows - rows} left out: their landed rows are not in this warehouse` : null
      summaries.push({ relation: name, rows, note })
    }
    return summaries
  })
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
