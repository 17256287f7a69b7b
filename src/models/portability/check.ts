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
  const shared = sharedFiles(files, { engines, folder })
  const problems = [...shared.problems]
  for (const { name, sql, header } of shared.models) {
    if (sql) problems.push(...(await inModel(name, sql)))
    if (header) problems.push(...(await inExpressions(name, header)))
  }
  for (const file of shared.tests) problems.push(...(await inTest(file)))
  return problems
}

interface SharedFiles {
  /** What is meant for all engines of each model: its SQL, and the tests of its header. */
  readonly models: readonly {
    readonly name: string
    readonly sql: ModelFile | undefined
    readonly header: ModelFile | undefined
  }[]
  readonly tests: readonly ModelFile[]
  /** MODEL_ENGINE. */
  readonly problems: readonly CdpError[]
}

/** Empty for one engine. */
export const sharedFiles = (files: readonly ModelFile[], { engines, folder }: PortabilityFacts): SharedFiles => {
  const chosen = engines.map((engine) => chooseFiles(files, folder, engine))
  const [first, ...others] = chosen
  if (first === undefined || others.length === 0) return { models: [], tests: [], problems: [] }
  const models = first.models.map(({ name, file, base }) => {
    const twins = others.map((one) => one.models.find((other) => other.name === name))
    const header = base ?? file
    return {
      name,
      sql: twins.every((twin) => twin?.file === file) ? file : undefined,
      header: twins.every((twin) => (twin?.base ?? twin?.file) === header) ? header : undefined,
    }
  })
  const problems = chosen.flatMap((one) => one.problems.filter((problem) => problem.code === 'MODEL_ENGINE'))
  return { models, tests: first.tests, problems }
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

/** MODEL_PORTABILITY. */
export const problemOf = (model: string, sql: string, { complaint, start }: Finding, place: Place): CdpError =>
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
