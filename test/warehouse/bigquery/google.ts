// Google's own judges of GoogleSQL: its analyzer, which says whether a text is a statement, and its reference evaluator, which says what
// it gives. Both are one program that speaks gRPC on a loopback port.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { LanguageOptions, TypeKind, ZetaSQLClient } from '@fivetrandevelopers/zetasql'
import { LanguageFeature } from '@fivetrandevelopers/zetasql/lib/types/zetasql/LanguageFeature.js'
import { readsIn, type Reads } from './reads.ts'
import { portableFunctions, type PortableFunction, type PortableType } from '../../../src/warehouse/functions/index.ts'

/** A relation that statements may name, by every name they give it: `cdp.runs`, `project.cdp.runs`. */
export interface Known {
  readonly names: readonly (readonly string[])[]
  /** SQL types by column. */
  readonly columns: Readonly<Record<string, GoogleType>>
}

/** `STRING`, `ARRAY<STRING>`, or what has parts. */
export type GoogleType =
  | string
  | { readonly array: GoogleType }
  | { readonly struct: readonly (readonly [name: string, type: GoogleType])[] }

export interface Said {
  /** Types by name; without them a parameter may be of any type. */
  readonly parameters?: ReadonlyMap<string, GoogleType>
  /** Where the functions are besides `cdp`: `['lotus', 'cdp']` for `lotus.cdp.fold(…)`. */
  readonly functionsIn?: readonly (readonly string[])[]
}

export interface Evaluated {
  /** `cdp.to_text` of the value. */
  readonly text: string | null
  readonly type: string
}

export interface Google {
  /** What the analyzer has against a statement; undefined when it accepts it. */
  readonly refuses: (sql: string, known?: readonly Known[], said?: Said) => Promise<string | undefined>
  /** Which columns of which relations a statement reads; throws what the analyzer has against it. */
  readonly reads: (sql: string, known?: readonly Known[], said?: Said) => Promise<Reads>
  /** The values of expressions. */
  readonly evaluate: (expressions: readonly string[]) => Promise<Evaluated[]>
  readonly close: () => Promise<void>
}

// What the program can do and the service cannot.
const notInTheService = new Set<number>([
  LanguageFeature.FEATURE_TIMESTAMP_NANOS,
  LanguageFeature.FEATURE_V_1_3_INLINE_LAMBDA_ARGUMENT,
  LanguageFeature.FEATURE_V_1_3_TYPEOF_FUNCTION,
  LanguageFeature.FEATURE_V_1_4_ARRAY_AGGREGATION_FUNCTIONS,
  LanguageFeature.FEATURE_V_1_4_ARRAY_FIND_FUNCTIONS,
  LanguageFeature.FEATURE_V_1_4_FIRST_AND_LAST_N,
  LanguageFeature.FEATURE_V_1_4_NULLIFZERO_ZEROIFNULL,
  LanguageFeature.FEATURE_V_1_4_PI_FUNCTIONS,
  LanguageFeature.FEATURE_V_1_4_SAFE_FUNCTION_CALL_WITH_LAMBDA_ARGS,
  LanguageFeature.FEATURE_V_1_4_SEQUENCE_ARG,
  LanguageFeature.FEATURE_V_1_4_SQL_MACROS,
  LanguageFeature.FEATURE_V_1_4_WITH_EXPRESSION,
])

const kinds: Readonly<Record<string, number>> = {
  STRING: TypeKind.TYPE_STRING,
  BOOL: TypeKind.TYPE_BOOL,
  INT64: TypeKind.TYPE_INT64,
  NUMERIC: TypeKind.TYPE_NUMERIC,
  BIGNUMERIC: TypeKind.TYPE_BIGNUMERIC,
  FLOAT64: TypeKind.TYPE_DOUBLE,
  DATE: TypeKind.TYPE_DATE,
  DATETIME: TypeKind.TYPE_DATETIME,
  TIME: TypeKind.TYPE_TIME,
  TIMESTAMP: TypeKind.TYPE_TIMESTAMP,
  BYTES: TypeKind.TYPE_BYTES,
  JSON: TypeKind.TYPE_JSON,
}
const wordOf = (kind: unknown): string =>
  Object.entries(kinds).find(([, number]) => number === kind)?.[0] ?? String(kind)

const typeOf = (type: GoogleType): object => {
  if (typeof type === 'object' && 'array' in type) {
    return { typeKind: TypeKind.TYPE_ARRAY, arrayType: { elementType: typeOf(type.array) } }
  }
  if (typeof type === 'object') {
    const field = type.struct.map(([fieldName, inner]) => ({ fieldName, fieldType: typeOf(inner) }))
    return { typeKind: TypeKind.TYPE_STRUCT, structType: { field } }
  }
  const item = /^ARRAY<(.*)>$/.exec(type)?.[1]
  return item === undefined
    ? { typeKind: kinds[type] ?? TypeKind.TYPE_UNKNOWN }
    : { typeKind: TypeKind.TYPE_ARRAY, arrayType: { elementType: typeOf(item) } }
}

const parameterTypes: Readonly<Partial<Record<PortableType, string>>> = {
  text: 'STRING',
  'text array': 'ARRAY<STRING>',
  boolean: 'BOOL',
  integer: 'INT64',
  decimal: 'NUMERIC',
  double: 'FLOAT64',
  date: 'DATE',
  timestamp: 'TIMESTAMP',
}

const anyType = { kind: 'ARG_TYPE_ARBITRARY', numOccurrences: 1 }

const catalogFunction = ({ name, params, bigquery }: PortableFunction): object => ({
  namePath: [name],
  group: 'Templated_SQL_Function',
  mode: 'SCALAR',
  templatedSqlFunctionArgumentName: params.map((param) => param.name),
  parseResumeLocation: { input: bigquery ?? '', bytePosition: 0 },
  signature: [
    {
      argument: params.map(({ type }) => {
        const fixed = parameterTypes[type]
        return fixed === undefined ? anyType : { kind: 'ARG_TYPE_FIXED', type: typeOf(fixed), numOccurrences: 1 }
      }),
      returnType: anyType,
    },
  ],
})

const functions = (): object[] => portableFunctions.map(catalogFunction)

interface Catalog {
  readonly name: string
  table: object[]
  catalog: Catalog[]
  customFunction?: readonly object[]
  readonly builtinFunctionOptions?: object
}

const catalogAt = (root: Catalog, path: readonly string[]): Catalog => {
  let at = root
  for (const name of path) {
    const found = at.catalog.find((one) => one.name.toLowerCase() === name.toLowerCase())
    const inner: Catalog = found ?? { name, table: [], catalog: [], customFunction: name === 'cdp' ? functions() : [] }
    if (!found) at.catalog.push(inner)
    at = inner
  }
  return at
}

const catalogOf = (
  languageOptions: object,
  known: readonly Known[],
  functionsIn: Said['functionsIn'] = [],
): Catalog => {
  const cdp: Catalog = { name: 'cdp', table: [], catalog: [], customFunction: functions() }
  const root: Catalog = { name: 'root', table: [], catalog: [cdp], builtinFunctionOptions: { languageOptions } }
  for (const path of functionsIn) catalogAt(root, path).customFunction = functions()
  let serial = 0
  for (const { names, columns } of known) {
    for (const path of names) {
      catalogAt(root, path.slice(0, -1)).table.push({
        name: path.at(-1),
        serializationId: ++serial,
        column: Object.entries(columns).map(([column, type]) => ({ name: column, type: typeOf(type) })),
      })
    }
  }
  return root
}

interface Cell {
  readonly value?: string
  readonly stringValue?: string
}
interface Answer {
  readonly content?: { readonly tableData?: { readonly row?: readonly { readonly cell?: readonly Cell[] }[] } }
  readonly prepared?: { readonly columns?: readonly { readonly type?: { readonly typeKind?: unknown } }[] }
}

export const openGoogle = async (): Promise<Google> => {
  const port = await freePort()
  const folder = dirname(createRequire(import.meta.url).resolve('@fivetrandevelopers/zetasql'))
  const program = `remote_server${process.arch.startsWith('arm') ? '_arm' : ''}${process.platform === 'darwin' ? '' : '.so'}`
  const server = spawn(join(folder, 'zetasql', program), ['localhost', String(port)], { stdio: 'ignore' })
  const kill = (): void => void server.kill('SIGKILL')
  process.once('exit', kill)
  ZetaSQLClient.init(port)
  const client = ZetaSQLClient.getInstance()
  if (!(await client.testConnection())) throw new Error('the analyzer does not answer')
  const { enabledLanguageFeatures: features } = (
    await new LanguageOptions().enableMaximumLanguageFeatures()
  ).serialize()
  const languageOptions = {
    enabledLanguageFeatures: (features ?? []).filter((feature) => !notInTheService.has(Number(feature))),
    productMode: 'PRODUCT_EXTERNAL',
    reservedKeywords: ['QUALIFY'],
    supportedStatementKinds: [],
  }
  const options = {
    languageOptions,
    errorMessageMode: 'ERROR_MESSAGE_ONE_LINE',
    defaultTimezone: 'UTC',
    allowUndeclaredParameters: true,
    enabledRewrites: ['REWRITE_INLINE_SQL_FUNCTIONS'],
  }
  const api = ZetaSQLClient.API
  const analyze = promisify(api.analyze.bind(api)) as unknown as (request: object) => Promise<unknown>
  const evaluateQuery = promisify(api.evaluateQuery.bind(api)) as unknown as (request: object) => Promise<Answer>
  const request = (sql: string, known: readonly Known[], { parameters, functionsIn }: Said) => ({
    options: parameters === undefined ? options : declaring(options, parameters),
    simpleCatalog: catalogOf(languageOptions, known, functionsIn),
    sqlStatement: sql,
  })
  return {
    refuses: (sql, known = [], said = {}) =>
      analyze(request(sql, known, said)).then(
        () => undefined,
        (error: { details?: string; message?: string }) => error.details ?? error.message ?? 'refused',
      ),
    reads: async (sql, known = [], said = {}) => {
      const asked = request(sql, known, said)
      const tree = await analyze({ ...asked, options: { ...asked.options, pruneUnusedColumns: true } })
      // Numbered as the catalog does.
      const numbered = known.flatMap(({ names }) => names.map(() => names[0] ?? []))
      return readsIn(tree, (number) => numbered[number - 1])
    },
    evaluate: async (expressions) => {
      const list = expressions.map((expression, at) => `${expression} as v${at}`).join(',\n')
      const texts = expressions.map((_, at) => `v${at}, cdp.to_text(v${at})`).join(', ')
      const { content, prepared } = await evaluateQuery({
        options: { ...options, allowUndeclaredParameters: false },
        simpleCatalog: catalogOf(languageOptions, []),
        sql: `select ${texts} from (select ${list})`,
      })
      const cells = content?.tableData?.row?.[0]?.cell ?? []
      return expressions.map((_, at) => ({
        text: cells[2 * at + 1]?.stringValue ?? null,
        type: wordOf(prepared?.columns?.[2 * at]?.type?.typeKind),
      }))
    },
    close: async () => {
      process.removeListener('exit', kill)
      api.close()
      const gone = once(server, 'exit')
      kill()
      await gone
    },
  }
}

const declaring = (options: object, parameters: ReadonlyMap<string, GoogleType>): object => ({
  ...options,
  allowUndeclaredParameters: false,
  queryParameters: [...parameters].map(([name, type]) => ({ name, type: typeOf(type) })),
})

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
