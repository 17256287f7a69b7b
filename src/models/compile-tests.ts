// Tests of models as SELECTs of the rows that fail: those of a header, and the files under models/tests.
// A null passes every test but not_null, as in SQL's own constraints: `expression: total >= 0` fails only where it is false.
import { CdpError } from '../core/errors.ts'
import { z } from 'zod'
import { commonKeys, parseHeader, splitFile, type HeaderTest } from './header.ts'
import type { ModelFile } from './files.ts'
import type { CompiledTest, SqlPart } from './model.ts'
import { folded } from './references/reference.ts'
import { compileStatement, spellingOf, type StatementFacts } from './statement.ts'
import { problemsOf } from './zod-problems.ts'

export interface TestsResult {
  readonly tests: readonly CompiledTest[]
  readonly problems: readonly CdpError[]
}

interface HeaderOf {
  readonly model: string
  readonly file: string
  readonly tests: readonly HeaderTest[]
  readonly lineOf: (path: readonly (string | number)[]) => number
}

const checks = ['unique', 'not_null', 'accepted_values', 'relationships', 'expression'] as const
const column = (name: string): SqlPart => ({ identifier: name })
const listed = <T>(items: readonly T[], between: string, each: (item: T) => readonly SqlPart[]): SqlPart[] =>
  items.flatMap((item, at) => [...(at === 0 ? [] : [between]), ...each(item)])

/** The tests of one header. `not_null` with a list is a test a column, `unique` with a list is one composite key. */
export const compileHeaderTests = async (header: HeaderOf, facts: StatementFacts): Promise<TestsResult> => {
  const { model, file } = header
  const tests: CompiledTest[] = []
  const problems: CdpError[] = []
  const relation: SqlPart = { relation: { schema: 'models', name: model } }
  for (const [at, test] of header.tests.entries()) {
    const given = checks.filter((check) => test[check] !== undefined)
    const line = header.lineOf(['tests', at, ...given.slice(0, 1)])
    const wrong = (reason: string): void => {
      problems.push(new CdpError('MODEL_HEADER', { model, reason }, { place: { file, line } }))
    }
    if (given.length !== 1) {
      wrong(
        `a test has exactly one of ${checks.join(', ')}; this one has ${given.length === 0 ? 'none' : given.join(' and ')}.`,
      )
      continue
    }
    const add = (name: string, sql: readonly SqlPart[], reads: readonly string[] = []): void => {
      const named = test.name ?? name
      if (tests.some((other) => other.name === named)) wrong(`the test ${named} stands twice.`)
      else tests.push({ name: named, model, severity: test.severity, sql, reads, file, line })
    }
    if (test.unique !== undefined) add(...unique(relation, [test.unique].flat()))
    for (const name of [test.not_null ?? []].flat()) {
      add(`not_null(${name})`, ['select * from ', relation, ' where ', column(name), ' is null'])
    }
    if (test.accepted_values) add(...accepted(relation, test.accepted_values))
    if (test.relationships) {
      const { column: from, to, field } = test.relationships
      const target = facts.models.get(folded(to))
      if (target === undefined) wrong(`the test relationships names ${to}, which is no model.`)
      else add(...related(relation, from, target, field), [target])
    }
    if (test.expression !== undefined) {
      const quote = facts.engine === 'bigquery' ? '`' : '"'
      const sql = `select * from ${quote}${model}${quote} where not (\n${test.expression}\n)`
      const text = { model, sql, file, at: { line, column: 1 }, line, reads: [] }
      const resolved = await compileStatement(text, facts)
      problems.push(...resolved.problems)
      const shown = test.expression.trim().replaceAll(/\s+/g, ' ')
      const reads = [...resolved.reads.keys()].filter((name) => name !== model)
      add(`expression(${shown.length > 80 ? `${shown.slice(0, 79)}…` : shown})`, resolved.sql, reads)
    }
  }
  return { tests, problems }
}

const unique = (relation: SqlPart, columns: readonly string[]): [string, readonly SqlPart[]] => [
  `unique(${columns.join(', ')})`,
  [
    'select ',
    ...listed(columns, ', ', (name) => [column(name)]),
    ', count(*) as occurrences from ',
    relation,
    ' where ',
    ...listed(columns, ' and ', (name) => [column(name), ' is not null']),
    ' group by ',
    ...listed(columns, ', ', (name) => [column(name)]),
    ' having count(*) > 1',
  ],
]

const accepted = (
  relation: SqlPart,
  { column: name, values }: { readonly column: string; readonly values: readonly (string | number | boolean)[] },
): [string, readonly SqlPart[]] => [
  `accepted_values(${name})`,
  [
    'select ',
    column(name),
    ', count(*) as occurrences from ',
    relation,
    ' where ',
    column(name),
    ' not in (',
    ...listed(values, ', ', (value) => [typeof value === 'string' ? { literal: value } : String(value)]),
    ') group by ',
    column(name),
  ],
]

const related = (relation: SqlPart, from: string, to: string, field: string): [string, readonly SqlPart[]] => [
  `relationships(${from} -> ${to}.${field})`,
  [
    'select one.* from ',
    relation,
    ' one where one.',
    column(from),
    ' is not null and not exists (select 1 from ',
    { relation: { schema: 'models', name: to } },
    ' other where other.',
    column(field),
    ' = one.',
    column(from),
    ')',
  ],
]

const fileSchema = z.strictObject({
  severity: z.enum(['warn', 'error']).default('error'),
  description: commonKeys.description,
  reads: commonKeys.reads,
})

/** The test in a file under models/tests, not yet given to a model: `reads` holds all it reads. Undefined when it is wrong. */
export const compileTestFile = async (
  { file, text }: ModelFile,
  facts: StatementFacts,
): Promise<{ test: CompiledTest | undefined; problems: readonly CdpError[] }> => {
  const name = (file.split('/').at(-1) ?? file).replace(/\.sql$/, '')
  const split = splitFile(text, spellingOf(facts.engine))
  const line = text.slice(0, split.yaml?.start ?? 0).split('\n').length
  const header = parseHeader(split.yaml?.text ?? '', line)
  const wrong = (reason: string, at: number): CdpError =>
    new CdpError('MODEL_HEADER', { model: name, reason }, { place: { file, line: at } })
  if (split.unclosed) return { test: undefined, problems: [wrong('its comment has no end.', line)] }
  const parsed = fileSchema.safeParse(header.data, { reportInput: true })
  const problems = [
    ...header.problems.map((problem) => wrong(problem.message, problem.line)),
    ...(parsed.success
      ? []
      : problemsOf(fileSchema, parsed.error.issues).map((p) => wrong(p.message, header.lineOf(p.path)))),
  ]
  if (!parsed.success || problems.length > 0) return { test: undefined, problems }
  const statement = { model: name, sql: split.sql, file, at: split.sqlAt, reads: parsed.data.reads }
  const resolved = await compileStatement(statement, facts)
  const reads = [...resolved.reads.keys()]
  if (resolved.problems.length > 0) return { test: undefined, problems: resolved.problems }
  if (!reads.some((read) => facts.models.has(folded(read)))) {
    return {
      test: undefined,
      problems: [new CdpError('TEST_READS_NOTHING', { test: name }, { place: { file, line: 1 } })],
    }
  }
  const { severity } = parsed.data
  return { test: { name, model: '', severity, sql: resolved.sql, reads, file, line: split.sqlAt.line }, problems: [] }
}
