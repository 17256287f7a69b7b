// An override for one engine must give the columns of the SQL it overrides. Each text is prepared by DuckDB where it can be; where it
// cannot, the names in its SELECT list count, as far as it has no star.
import { CdpError } from '../core/errors.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { compileModels, type ModelFile } from './compile.ts'
import { render, type CompiledModel } from './model.ts'
import { selectedNames } from './references/sqlparser.ts'

/** Models are compiled; `scratch` holds stand-ins for all of them. */
export const checkOverrides = async (
  files: readonly ModelFile[],
  models: readonly CompiledModel[],
  { scratch, instant }: { readonly scratch: Warehouse; readonly instant: string },
): Promise<readonly CdpError[]> => {
  const problems: CdpError[] = []
  const overridden = files.filter((file) => /\.(duckdb|bigquery)\.sql$/.test(file.file))
  if (overridden.length === 0) return problems
  for (const file of overridden) {
    const engine = file.file.endsWith('.duckdb.sql') ? 'duckdb' : 'bigquery'
    const base = files.find((other) => other.file === file.file.replace(/\.\w+\.sql$/, '.sql'))
    if (base === undefined) continue
    const name = (base.file.split('/').at(-1) ?? '').replace(/\.sql$/, '')
    const own = await columnsOf(name, files, engine, { scratch, instant })
    const other = await columnsOf(
      name,
      files.filter((one) => one !== file),
      engine === 'duckdb' ? 'bigquery' : 'duckdb',
      { scratch, instant },
    )
    if (own === undefined || other === undefined || !models.some((model) => model.name === name)) continue
    if (own.length === other.length && own.every((column, at) => column.toLowerCase() === other[at]?.toLowerCase()))
      continue
    const args = { model: name, file: file.file, columns: own, other }
    problems.push(new CdpError('MODEL_OVERRIDE', args, { place: { file: file.file } }))
  }
  return problems
}

const columnsOf = async (
  name: string,
  files: readonly ModelFile[],
  engine: string,
  { scratch, instant }: { readonly scratch: Warehouse; readonly instant: string },
): Promise<readonly string[] | undefined> => {
  const { models } = await compileModels(files, { engine, streams: undefined })
  const model = models.find((one) => one.name === name)
  if (model === undefined) return undefined
  try {
    return (await scratch.describe(render(model.sql, scratch, instant))).map((column) => column.name)
  } catch {
    const written = model.sql
      .map((part) => (typeof part === 'string' ? part : 'written' in part ? part.written : ''))
      .join('')
    return selectedNames(written, engine)
  }
}
