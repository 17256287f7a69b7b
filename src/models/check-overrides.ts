// An override for one engine must give the columns of the SQL it overrides. Each text is prepared by DuckDB where it can be; where it
// cannot, the names in its SELECT list count, as far as it has no star.
import { CdpError } from '../core/errors.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { compileModels, type ModelFile } from './compile.ts'
import { render } from './model.ts'
import { selectedNames } from './references/sqlparser.ts'

/** `scratch` holds stand-ins for all models. */
export const checkOverrides = async (
  files: readonly ModelFile[],
  facts: OverrideFacts,
): Promise<readonly CdpError[]> => {
  const problems: CdpError[] = []
  const plain = files.filter((file) => engineOf(file) === undefined)
  for (const file of files) {
    const engine = engineOf(file)
    const base = plain.find((other) => other.file === file.file.replace(/\.\w+\.sql$/, '.sql'))
    if (engine === undefined || base === undefined) continue
    const name = (base.file.split('/').at(-1) ?? '').replace(/\.sql$/, '')
    const own = await columnsOf(name, [...plain, file], engine, facts)
    const other = await columnsOf(name, plain, engine, facts)
    if (own === undefined || other === undefined) continue
    const agrees = own.length === other.length && own.every((column, at) => same(column, other[at]))
    if (agrees) continue
    const args = { model: name, file: file.file, columns: own, other }
    problems.push(new CdpError('MODEL_OVERRIDE', args, { place: { file: file.file } }))
  }
  return problems
}

interface OverrideFacts {
  readonly scratch: Warehouse
  readonly instant: string
}

const engineOf = ({ file }: ModelFile): string | undefined => /\.(duckdb|bigquery)\.sql$/.exec(file)?.[1]

const same = (a: string, b: string | undefined): boolean => a.toLowerCase() === b?.toLowerCase()

const columnsOf = async (
  name: string,
  files: readonly ModelFile[],
  engine: string,
  { scratch, instant }: OverrideFacts,
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
