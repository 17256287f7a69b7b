// What a model gives must be the same on every engine: an override must have the columns of the SQL it overrides, or of its twin for the
// other engine. Each text is prepared by DuckDB where it can be, and then types count too; where it cannot, the names in its SELECT list
// count, as far as it has no star.
import { CdpError } from '../core/errors.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { compileModels, type ModelFile } from './compile.ts'
import { chooseFiles, engines } from './files.ts'
import { render } from './model.ts'
import { selectedNames } from './references/sqlparser.ts'

/** `scratch` holds stand-ins for all models. */
export const checkOverrides = async (
  files: readonly ModelFile[],
  facts: OverrideFacts,
): Promise<readonly CdpError[]> => {
  const problems: CdpError[] = []
  for (const { model, file, engine, other, otherEngine, without } of overridesIn(files, facts.folder ?? 'models')) {
    const own = await columnsOf(model, files, engine, facts)
    const theirs = await columnsOf(model, without, otherEngine, facts)
    const difference = own && theirs && differenceOf(own, theirs)
    if (difference === undefined) continue
    const args = { model, file: file.file, columns: difference[0], other: difference[1] }
    problems.push(new CdpError('MODEL_OVERRIDE', { ...args, of: other.file }, { place: { file: file.file } }))
  }
  return problems
}

interface OverrideFacts {
  readonly scratch: Warehouse
  readonly instant: string
  /** The models folder, as in the files' paths; default `models`. */
  readonly folder?: string
}

interface Override {
  readonly model: string
  readonly file: ModelFile
  readonly engine: string
  /** What it is held against. */
  readonly other: ModelFile
  readonly otherEngine: string
  /** The files in which `other` counts. */
  readonly without: readonly ModelFile[]
}

// Of a model without a text for all engines the first engine's is the measure.
const overridesIn = (files: readonly ModelFile[], folder: string): Override[] => {
  const plain = chooseFiles(
    files.filter(({ file }) => !/\.\w+\.sql$/.test(file)),
    folder,
    '',
  ).models
  const byEngine = engines.map((engine) => ({ engine, models: chooseFiles(files, folder, engine).models }))
  const [first] = byEngine
  return byEngine.flatMap(({ engine, models }) =>
    models.flatMap(({ name, file }): Override[] => {
      const base = plain.find((one) => one.name === name)?.file
      const twin = base ? undefined : first?.models.find((one) => one.name === name)?.file
      const other = base ?? twin
      if (other === undefined || other === file) return []
      const without = base ? files.filter((one) => one !== file) : files
      return [{ model: name, file, engine, other, otherEngine: base ? engine : (first?.engine ?? engine), without }]
    }),
  )
}

interface Found {
  readonly name: string
  /** Undefined when DuckDB could not prepare the text. */
  readonly type: string | undefined
}

// The two lists as a person should see them, when they differ.
const differenceOf = (
  own: readonly Found[],
  other: readonly Found[],
): readonly [readonly string[], readonly string[]] | undefined => {
  const names = (list: readonly Found[]): string[] => list.map(({ name }) => name)
  const same = own.length === other.length && own.every(({ name }, at) => isSame(name, other[at]?.name ?? ''))
  if (!same) return [names(own), names(other)]
  const differ = own.some(({ type }, at) => !isSameType(type, other[at]?.type))
  const typed = (list: readonly Found[]): string[] => list.map(({ name, type = '' }) => `${name} ${type}`)
  return differ ? [typed(own), typed(other)] : undefined
}

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

const isSameType = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined ||
  b === undefined ||
  familyOf(a) === familyOf(b) ||
  [a, b].some((type) => /^"?(SQL)?NULL"?$/i.test(type))

// Widths differ between engines by nature: what counts is the kind of value.
const familyOf = (type: string): string => {
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type)) return 'integer'
  if (/^(FLOAT|DOUBLE)$/.test(type)) return 'double'
  return /^(DECIMAL|TIMESTAMP)/.exec(type)?.[0] ?? type
}

const columnsOf = async (
  name: string,
  files: readonly ModelFile[],
  engine: string,
  { scratch, instant, folder }: OverrideFacts,
): Promise<readonly Found[] | undefined> => {
  const { models } = await compileModels(files, { engine, streams: undefined, folder: folder ?? 'models' })
  const model = models.find((one) => one.name === name)
  if (model === undefined) return undefined
  try {
    return await scratch.describe(render(model.sql, scratch, instant))
  } catch {
    const written = model.sql
      .map((part) => (typeof part === 'string' ? part : 'written' in part ? part.written : ''))
      .join('')
    return (await selectedNames(written, engine))?.map((column) => ({ name: column, type: undefined }))
  }
}
