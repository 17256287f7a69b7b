// `cdp check` of a project for more than one engine: in every SQL text that is meant for all of them, each thing outside the common
// subset is named with its place. A text in `<name>.<engine>.sql` is for that engine alone and is not looked at.
import { CdpError, type Place } from '../../core/errors.ts'
import { chooseFiles, type ModelFile } from '../files.ts'
import { parseHeader, splitFile } from '../header.ts'
import { placeIn } from '../statement.ts'
import { excerpt, positionAt } from '../text-position.ts'
import { findUnportable } from './find.ts'
import type { Finding } from './finding.ts'
import { whyOf } from './rule.ts'

export interface PortabilityFacts {
  /** Of the project's warehouses. With fewer than two there is nothing to say. */
  readonly engines: readonly string[]
  /** The models folder, as in the files' paths. */
  readonly folder: string
}

/** MODEL_PORTABILITY for each place, MODEL_ENGINE for each model that an engine of the project has no SQL for. */
export const checkPortability = async (
  files: readonly ModelFile[],
  { engines, folder }: PortabilityFacts,
): Promise<CdpError[]> => {
  if (engines.length < 2) return []
  const chosen = engines.map((engine) => chooseFiles(files, folder, engine))
  const [first, ...others] = chosen
  if (first === undefined) return []
  const problems = chosen.flatMap((one) => one.problems.filter((problem) => problem.code === 'MODEL_ENGINE'))
  for (const { name, file, base } of first.models) {
    const twins = others.map((one) => one.models.find((other) => other.name === name))
    const shared = twins.every((twin) => twin?.file === file)
    if (shared) problems.push(...(await inModel(name, file)))
    const header = base ?? file
    const sharesHeader = twins.every((twin) => (twin?.base ?? twin?.file) === header)
    if (sharesHeader) problems.push(...(await inExpressions(name, header)))
  }
  for (const file of first.tests) problems.push(...(await inTest(file)))
  return problems
}

const spelling = { backslashes: false }

const inModel = async (model: string, { file, text }: ModelFile): Promise<CdpError[]> => {
  const { sql, sqlAt } = splitFile(text, spelling)
  const found = await findUnportable(sql, true)
  return found.map((finding) => problemOf(model, sql, finding, placeAt(file, sqlAt, sql, finding)))
}

const inTest = async ({ file, text }: ModelFile): Promise<CdpError[]> => {
  const { sql, sqlAt } = splitFile(text, spelling)
  const name = (file.split('/').at(-1) ?? file).replace(/\.sql$/, '')
  const found = await findUnportable(sql, false)
  return found.map((finding) => problemOf(name, sql, finding, placeAt(file, sqlAt, sql, finding)))
}

// The tests of a header that are SQL. YAML leaves no columns to count, so their line is the place.
const inExpressions = async (model: string, { file, text }: ModelFile): Promise<CdpError[]> => {
  const { yaml } = splitFile(text, spelling)
  if (yaml === undefined) return []
  const header = parseHeader(yaml.text, text.slice(0, yaml.start).split('\n').length)
  const tests: unknown = header.data['tests']
  if (!Array.isArray(tests)) return []
  const problems: CdpError[] = []
  for (const [at, test] of tests.entries()) {
    const expression = expressionOf(test)
    if (expression === undefined) continue
    // As the compiler writes it; the relation's name is no part of what is judged.
    const sql = `select * from m where not (\n${expression}\n)`
    const place = { file, line: header.lineOf(['tests', at, 'expression']) }
    for (const finding of await findUnportable(sql, false)) problems.push(problemOf(model, sql, finding, place))
  }
  return problems
}

const expressionOf = (test: unknown): string | undefined =>
  typeof test === 'object' && test !== null && 'expression' in test && typeof test.expression === 'string'
    ? test.expression
    : undefined

const placeAt = (file: string, at: Required<Pick<Place, 'line' | 'column'>>, sql: string, { start }: Finding): Place =>
  placeIn({ file, at }, positionAt(sql, start))

const problemOf = (model: string, sql: string, { complaint, start }: Finding, place: Place): CdpError =>
  new CdpError(
    'MODEL_PORTABILITY',
    {
      model,
      found: complaint.found,
      reason: whyOf(complaint),
      say: complaint.say,
      excerpt: excerpt(sql, positionAt(sql, start)),
    },
    { place },
  )
