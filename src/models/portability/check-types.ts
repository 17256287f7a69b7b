// The half of the portability check that needs types: models and tests as DuckDB prepares them, over stand-ins for all that they read.
import { formatPlace, type CdpError } from '../../core/errors.ts'
import type { Warehouse } from '../../warehouse/warehouse.ts'
import { writtenIndex, writtenText } from '../check.ts'
import type { ModelFile } from '../files.ts'
import { render, type CompiledModel, type SqlPart } from '../model.ts'
import { placeIn } from '../statement.ts'
import { positionAt } from '../text-position.ts'
import { problemOf, sharedFiles, type PortabilityFacts } from './check.ts'
import { findTyped } from './find-typed.ts'

export interface TypeFacts extends PortabilityFacts {
  /** It holds a stand-in for every relation whose columns are known. */
  readonly scratch: Warehouse
  readonly instant: string
  /** As DuckDB reads them. */
  readonly models: readonly CompiledModel[]
}

/** MODEL_PORTABILITY for each place that only types show. */
export const checkTypes = async (files: readonly ModelFile[], facts: TypeFacts): Promise<CdpError[]> => {
  const shared = sharedFiles(files, facts)
  const texts = new Set(shared.models.flatMap(({ sql }) => sql?.file ?? []))
  const headers = new Set(shared.models.flatMap(({ header }) => header?.file ?? []))
  const testFiles = new Set(shared.tests.map(({ file }) => file))
  const problems: CdpError[] = []
  for (const model of facts.models) {
    const { name, file, sqlLine: line, sqlColumn: column } = model
    if (texts.has(file)) {
      const text = { name, sql: model.sql, isModel: true, file, at: { line, column } }
      problems.push(...(await inStatement(text, facts)))
    }
    for (const test of model.tests) {
      const inFile = testFiles.has(test.file)
      if (!inFile && !headers.has(test.file)) continue
      const at = inFile ? { line: test.line, column: 1 } : { line: test.line }
      const text = { name: inFile ? test.name : name, sql: test.sql, isModel: false, file: test.file, at }
      problems.push(...(await inStatement(text, facts)))
    }
  }
  return problems
}

interface Text {
  readonly name: string
  readonly sql: readonly SqlPart[]
  readonly isModel: boolean
  readonly file: string
  /** Where the statement starts; without a column it was made of a header, and its line is all there is to say. */
  readonly at: { readonly line: number; readonly column?: number }
}

const inStatement = async ({ name, sql, isModel, file, at }: Text, facts: TypeFacts): Promise<CdpError[]> => {
  const { scratch, instant } = facts
  const { line, column } = at
  const rendered = render(sql, scratch, instant)
  const written = sql.map(writtenText).join('')
  return (await findTyped(rendered, scratch, isModel)).map((finding) => {
    if (column === undefined) return problemOf(name, rendered, finding, { file, line })
    const start = writtenIndex(sql, scratch, instant, finding.start)
    const place = placeIn({ file, at: { line, column } }, positionAt(written, start))
    return problemOf(name, written, { ...finding, start }, place)
  })
}

/** Each place once: what the text shows before what its types show. */
export const joined = (byText: readonly CdpError[], byTypes: readonly CdpError[]): CdpError[] => {
  const said = new Set(byText.map(keyOf))
  return [...byText, ...byTypes.filter((problem) => !said.has(keyOf(problem)))]
}

// A header's tests have no columns to tell them apart.
const keyOf = ({ place, args }: CdpError): string => {
  const found = place?.column === undefined && 'found' in args ? ` ${String(args.found)}` : ''
  return `${place ? formatPlace(place) : ''}${found}`
}
