// From a header's YAML to a model's settings: the keys of all kinds and those of its own, every problem with its line.
import { z } from 'zod'
import { CdpError } from '../core/errors.ts'
import { commonKeys, kindNames, parseHeader, splitFile } from './header.ts'
import type { ChosenModel } from './files.ts'
import { loadKind } from './kinds/kinds.ts'
import type { Kind } from './model.ts'
import { spellingOf } from './statement.ts'
import type { Position } from './text-position.ts'
import { problemsOf } from './zod-problems.ts'

/** A model whose header is read and whose SQL is not. */
export interface Draft {
  readonly name: string
  readonly kind: Kind
  readonly settings: Settings
  /** The keys of its kind alone. */
  readonly header: unknown
  readonly sql: string
  readonly sqlFile: string
  readonly sqlAt: Position
  readonly headerFile: string
  readonly lineOf: (path: readonly (string | number)[]) => number
}

type Settings = z.infer<typeof commonSchema>

const commonSchema = z.object(commonKeys)

export const draftModel = async (
  { name, file, base }: ChosenModel,
  engine: string,
): Promise<{ draft: Draft | undefined; problems: readonly CdpError[] }> => {
  const spelling = spellingOf(engine)
  const own = splitFile(file.text, spelling)
  const headerFile = own.yaml === undefined && base !== undefined ? base : file
  const split = headerFile === file ? own : splitFile(headerFile.text, spelling)
  const startLine = headerFile.text.slice(0, split.yaml?.start ?? 0).split('\n').length
  const parsed = parseHeader(split.yaml?.text ?? '', startLine)
  const problem = (reason: string, line: number, column?: number): CdpError =>
    new CdpError(
      'MODEL_HEADER',
      { model: name, reason },
      { place: { file: headerFile.file, line, ...(column === undefined ? {} : { column }) } },
    )
  if (split.unclosed || own.unclosed)
    return { draft: undefined, problems: [problem('its comment has no end.', startLine)] }
  if (parsed.problems.length > 0) {
    return { draft: undefined, problems: parsed.problems.map((p) => problem(p.message, p.line, p.column)) }
  }

  const word = z.enum(kindNames).default('view').safeParse(parsed.data['kind'])
  const kind = word.success ? await loadKind(word.data) : undefined
  const ownSchema = kind?.header(z)
  const whole: z.ZodObject =
    kind === undefined ? z.looseObject(commonKeys) : z.strictObject({ ...commonKeys, ...ownSchema?.shape })
  const settings = whole.safeParse(parsed.data, { reportInput: true })
  const ownData = Object.fromEntries(Object.entries(parsed.data).filter(([key]) => key in (ownSchema?.shape ?? {})))
  const header = ownSchema?.safeParse(ownData, { reportInput: true })
  // What both schemas refuse is said once.
  const problems = new Map(
    [
      ...(settings.error ? problemsOf(whole, settings.error.issues) : []),
      ...(header?.error && ownSchema ? problemsOf(ownSchema, header.error.issues) : []),
    ].map((p) => [`${p.path.join('.')} ${p.message}`, problem(p.message, parsed.lineOf(p.path))]),
  )
  if (!settings.success || !header?.success || kind === undefined)
    return { draft: undefined, problems: [...problems.values()] }
  const draft: Draft = {
    name,
    kind,
    settings: commonSchema.parse(parsed.data),
    header: header.data,
    sql: own.sql,
    sqlFile: file.file,
    sqlAt: own.sqlAt,
    headerFile: headerFile.file,
    lineOf: parsed.lineOf,
  }
  return { draft, problems: [] }
}
