// Models as files to models as plain data, in the order in which they are built. Finds every problem before anything runs.
import { parseByteSize } from '../core/byte-size.ts'
import { parseDuration } from '../core/clock.ts'
import { CdpError, isCdpError, type Place } from '../core/errors.ts'
import { fingerprint } from '../core/hash.ts'
import { portableFunctions } from '../warehouse/functions/index.ts'
import { engineRelations } from '../warehouse/relations.ts'
import { draftModel, type Draft } from './compile-header.ts'
import { compileHeaderTests, compileTestFile } from './compile-tests.ts'
import { chooseFiles, type ModelFile } from './files.ts'
import type { CompiledModel, CompiledTest, NamedHeader, Session } from './model.ts'
import { orderOf, type Edges } from './order.ts'
import { folded } from './references/reference.ts'
import { resolveReferences, type Resolved } from './resolve.ts'
import { compileStatement, spellingOf, type StatementFacts } from './statement.ts'

export type { ModelFile } from './files.ts'

/** What the compiler must know of the project around the models. */
export interface ModelFacts {
  readonly engine: string
  /** Relations in schema raw: `shop_customers`. Undefined while they are not known: any may be read. */
  readonly streams: readonly string[] | undefined
  /** The models folder, as in the files' paths; default `models`. */
  readonly folder?: string
  /** An embedded DuckDB whose parser is asked where the SQL parser gives up; opened only then. */
  readonly session?: () => Promise<Session>
}

export interface CompiledModels {
  /** In an order in which each model comes after what it reads. Models with a problem are left out, unless it is their SQL or a circle. */
  readonly models: readonly CompiledModel[]
  /** Of all models, those that are wrong too. */
  readonly names: readonly string[]
  readonly problems: readonly CdpError[]
}

export const compileModels = async (files: readonly ModelFile[], given: ModelFacts): Promise<CompiledModels> => {
  const chosen = chooseFiles(files, given.folder ?? 'models', given.engine)
  const problems: CdpError[] = [...chosen.problems]
  const facts: StatementFacts = {
    engine: given.engine,
    models: new Map(chosen.models.map(({ name }) => [folded(name), name])),
    streams: given.streams,
    relations: Object.keys(engineRelations),
    functions: portableFunctions.map((f) => f.name),
    session: given.session,
  }
  const drafts = new Map<string, Draft>()
  for (const model of chosen.models) {
    const { draft, problems: wrong } = await draftModel(model, given.engine)
    problems.push(...wrong)
    if (draft) drafts.set(draft.name, draft)
  }

  const models = new Map<string, CompiledModel>()
  const edges = new Map<string, Edges>()
  for (const draft of drafts.values()) {
    const compiled = await compileDraft(draft, drafts, facts)
    problems.push(...compiled.problems)
    models.set(draft.name, compiled.model)
    edges.set(draft.name, {
      reads: compiled.reads,
      tests: new Set(compiled.model.tests.flatMap((test) => test.reads)),
    })
  }
  const order = orderOf(edges)
  problems.push(...order.problems)

  const loose: CompiledTest[] = []
  for (const file of chosen.tests) {
    const { test, problems: wrong } = await compileTestFile(file, facts)
    problems.push(...wrong)
    const other = loose.find((known) => known.name === test?.name)
    if (test && other) {
      const args = { name: test.name, files: [other.file, test.file] }
      problems.push(new CdpError('MODEL_DUPLICATE', args, { place: { file: test.file } }))
    } else if (test) loose.push(test)
  }
  const sorted = order.names.flatMap((name) => models.get(name) ?? [])
  return {
    models: giveTests(sorted, loose),
    names: chosen.models.map(({ name }) => name),
    problems: problems.toSorted(byPlace),
  }
}

interface CompiledDraft {
  readonly model: CompiledModel
  readonly reads: ReadonlyMap<string, Place>
  readonly problems: readonly CdpError[]
}

const compileDraft = async (
  draft: Draft,
  drafts: ReadonlyMap<string, Draft>,
  facts: StatementFacts,
): Promise<CompiledDraft> => {
  const { name, settings, kind } = draft
  const place: Place = { file: draft.headerFile, line: draft.lineOf(['kind']) }
  const problems: CdpError[] = []
  const text = { model: name, sql: draft.sql, file: draft.sqlFile, at: draft.sqlAt, reads: settings.reads }
  const resolved = await compileStatement(text, facts)
  problems.push(...resolved.problems)

  const reads = new Map(resolved.reads)
  const named = namedReads(draft, facts)
  problems.push(...named.problems)
  for (const [read, at] of named.reads) if (!reads.has(read)) reads.set(read, at)

  let { header } = draft
  if (named.problems.length === 0) {
    try {
      header = kind.resolve?.(header, (other) => headerOf(drafts, facts, other), place) ?? header
    } catch (thrown) {
      if (!isCdpError(thrown)) throw thrown
      problems.push(thrown)
    }
  }
  const tests = await compileHeaderTests(
    { model: name, file: draft.headerFile, tests: settings.tests, lineOf: draft.lineOf },
    facts,
  )
  problems.push(...tests.problems)
  const model: CompiledModel = {
    name,
    file: draft.sqlFile,
    kind: kind.kind,
    description: settings.description,
    owner: settings.owner,
    tags: settings.tags,
    header,
    sql: resolved.sql,
    sqlLine: draft.sqlAt.line,
    sqlColumn: draft.sqlAt.column,
    reads: [...reads.keys()],
    readsClock: resolved.readsClock,
    refresh: settings.refresh,
    tests: tests.tests,
    freshnessMs: settings.freshness === undefined ? undefined : parseDuration(settings.freshness),
    ...limitOf(settings.maximum_bytes_billed),
    fingerprint: fingerprint(['model 1', kind.kind, header ?? null, resolved.sql]),
  }
  return { model, reads, problems }
}

const limitOf = (text: string | undefined): Pick<CompiledModel, 'maximumBytesBilled'> => {
  const bytes = text === undefined ? undefined : parseByteSize(text)
  return bytes === undefined ? {} : { maximumBytesBilled: bytes }
}

const headerOf = (drafts: ReadonlyMap<string, Draft>, facts: StatementFacts, name: string): NamedHeader | undefined => {
  const draft = drafts.get(facts.models.get(folded(name)) ?? '')
  return draft && { name: draft.name, kind: draft.kind.kind, header: draft.header }
}

// What the header names rather than the SQL: `reads`, and whatever the kind builds on (`of: people`).
const namedReads = (draft: Draft, facts: StatementFacts): Resolved => {
  const names = [
    ...draft.settings.reads.map((name, at) => ({ name, line: draft.lineOf(['reads', at]) })),
    ...(draft.kind.needs?.(draft.header) ?? []).map((name) => ({
      name,
      line: draft.lineOf(keyOf(draft.header, name)),
    })),
  ]
  const parts = names.map(({ name, line }) =>
    resolveReferences(
      draft.name,
      '',
      [{ kind: 'relation', parts: name.split('.'), start: 0, end: 0 }],
      facts,
      spellingOf(facts.engine),
      () => ({ file: draft.headerFile, line }),
    ),
  )
  return {
    sql: [],
    reads: new Map(parts.flatMap((part) => [...part.reads])),
    readsClock: false,
    problems: parts.flatMap((part) => part.problems),
  }
}

// The key of a header that has this value.
const keyOf = (header: unknown, value: string): string[] =>
  Object.entries(header ?? {}).flatMap(([key, found]) => (found === value ? [key] : []))

// A test belongs to the last built of the models it reads: only then all of them are there. A test of a header moves only when what
// it reads is built after its own model.
const giveTests = (models: readonly CompiledModel[], loose: readonly CompiledTest[]): CompiledModel[] => {
  const rank = new Map(models.map((model, at) => [model.name, at]))
  const given = new Map<string, CompiledTest[]>()
  for (const test of [...models.flatMap((model) => model.tests), ...loose]) {
    const all = test.model === '' ? test.reads : [test.model, ...test.reads]
    const last = all.toSorted((a, b) => (rank.get(b) ?? -1) - (rank.get(a) ?? -1))[0] ?? ''
    const moved = test.model !== '' && last !== test.model
    given.set(last, [
      ...(given.get(last) ?? []),
      {
        ...test,
        name: moved ? `${test.model}: ${test.name}` : test.name,
        model: last,
        reads: all.filter((name) => name !== last),
      },
    ])
  }
  return models.map((model) => ({ ...model, tests: given.get(model.name) ?? [] }))
}

const byPlace = (a: CdpError, b: CdpError): number =>
  (a.place?.file ?? '').localeCompare(b.place?.file ?? '') ||
  (a.place?.line ?? 0) - (b.place?.line ?? 0) ||
  (a.place?.column ?? 0) - (b.place?.column ?? 0)
