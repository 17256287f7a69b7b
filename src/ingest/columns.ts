// What becomes of every column of a stream in a load: new ones get a type, recorded ones keep theirs or are widened, promised ones are
// as promised. Nothing is narrowed, and no text is lost.
import { CdpError } from '../core/errors.ts'
import type { ColumnType } from '../warehouse/warehouse.ts'
import { decimalFor, decimalFacts, inferTypes } from './infer.ts'
import { always, measure } from './measure.ts'
import { safeName, type NamedColumn } from './names.ts'
import type { RecordedColumn } from './schema.ts'
import type { StreamSettings } from './source.ts'
import type { Stage, StageColumn, Work } from './stage.ts'
import { decimalOf, parseType, printsBack, toldKept, valueKept, type TypeInForce } from './types.ts'

export interface ColumnPlan extends RecordedColumn {
  /** Undefined: this load does not have it, so it is null. */
  readonly staged: StageColumn | undefined
  /** What it was before, when the raw relation must change its type. */
  readonly before: TypeInForce | undefined
  readonly isNew: boolean
}

/** A column by the name a project gives it: its own, its own but for case, or its original one. */
export const findColumn = <C extends NamedColumn>(columns: readonly C[], name: string): C | undefined => {
  const lower = name.toLowerCase()
  const original = name.normalize('NFC').trim()
  return (
    columns.find((column) => column.name === name) ??
    columns.find((column) => column.name.toLowerCase() === lower) ??
    columns.find((column) => column.original.normalize('NFC').trim() === original)
  )
}

/** The promises of a stream by column name. Throws STREAM_TYPE. */
export const promisedTypes = (
  stream: string,
  settings: StreamSettings,
  columns: readonly NamedColumn[],
): Map<string, { readonly type: ColumnType; readonly original: string }> => {
  const out = new Map<string, { type: ColumnType; original: string }>()
  for (const [name, text] of Object.entries(settings.types ?? {})) {
    const type = parseType(text)
    if (!type) throw new CdpError('STREAM_TYPE', { stream, column: name, type: text })
    const found = findColumn(columns, name)
    out.set(found?.name ?? safeName(name, 0), { type, original: found?.original ?? name })
  }
  return out
}

export const planColumns = async (
  work: Work,
  stage: Stage,
  recorded: readonly RecordedColumn[],
  stream: { readonly id: string; readonly settings: StreamSettings; readonly keys: ReadonlySet<string> },
  existingDigits: (column: string) => Promise<number>,
): Promise<ColumnPlan[]> => {
  const staged = new Map(stage.columns.map((column) => [column.name, column]))
  const promised = promisedTypes(stream.id, stream.settings, [...recorded, ...stage.columns])
  const known = new Map(recorded.map((column) => [column.name, column]))
  const fresh = stage.columns.filter(({ name }) => !known.has(name) && !promised.has(name))
  const inferred = await inferTypes(work, stage, fresh, { keys: stream.keys })
  const kept = recorded.filter(({ name }) => !promised.has(name) && staged.has(name))
  const widened = await widen(work, stage, kept, staged, existingDigits)

  const plans: ColumnPlan[] = recorded.map((column) => {
    const promise = promised.get(column.name)
    const type = promise ? { type: promise.type, format: undefined } : (widened.get(column.name) ?? column)
    const changes = type.type !== column.type || (!promise && type.format !== column.format)
    return {
      ...column,
      type: type.type,
      format: changes ? type.format : column.format,
      declared: promise !== undefined,
      version: changes ? column.version + 1 : column.version,
      before: changes ? column : undefined,
      staged: staged.get(column.name),
      isNew: false,
    }
  })
  let position = Math.max(0, ...recorded.map((column) => column.position))
  const add = (column: NamedColumn, type: TypeInForce, declared: boolean): void => {
    position += 1
    plans.push({
      name: column.name,
      original: column.original,
      type: type.type,
      format: type.format,
      position,
      declared,
      version: 1,
      history: [],
      unfinished: false,
      staged: staged.get(column.name),
      before: undefined,
      isNew: true,
    })
  }
  for (const column of stage.columns) {
    if (known.has(column.name)) continue
    const promise = promised.get(column.name)
    if (promise) add(column, { type: promise.type, format: undefined }, true)
    else add(column, inferred.get(column.name) ?? { type: 'text', format: undefined }, false)
  }
  for (const [name, { type, original }] of promised) {
    if (!known.has(name) && !staged.has(name)) add({ name, original }, { type, format: undefined }, true)
  }
  return plans
}

/** Whether the type in force keeps a value as it came. */
const keeps = (column: StageColumn, type: TypeInForce): string => {
  const { evidence, text } = column
  if (evidence.kind === 'told' && evidence.type === type.type) return toldKept(text, type.type)
  const format = evidence.kind === 'told' && type.type === 'timestamp' ? 'any' : type.format
  // Of JSON what is staged in quotes is a string, and no number.
  const spelled = evidence.kind === 'spelled' || type.type === 'date' || type.type === 'timestamp'
  return spelled ? printsBack(text, { type: type.type, format }) : valueKept(text, type.type)
}

/** New types of the recorded columns whose values no longer all fit. */
const widen = async (
  work: Work,
  stage: Stage,
  recorded: readonly RecordedColumn[],
  staged: ReadonlyMap<string, StageColumn>,
  existingDigits: (column: string) => Promise<number>,
): Promise<Map<string, TypeInForce>> => {
  const checked = recorded.flatMap((column) => {
    const found = staged.get(column.name)
    return !found || column.type === 'text' || found.typed === column.type ? [] : [{ column, found }]
  })
  const fits = await measure(
    work,
    stage,
    new Map(checked.map(({ column, found }) => [column.name, always(found.text, keeps(found, column))])),
  )
  const out = new Map<string, TypeInForce>()
  for (const { column, found } of checked) {
    if (fits.get(column.name) === true) continue
    out.set(
      column.name,
      (await widerDecimal(work, stage, column, found, existingDigits)) ?? { type: 'text', format: undefined },
    )
  }
  return out
}

/** integer -> decimal -> wider decimal, where every old and new value prints back; else undefined. */
const widerDecimal = async (
  work: Work,
  stage: Stage,
  column: RecordedColumn,
  found: StageColumn,
  existingDigits: (column: string) => Promise<number>,
): Promise<TypeInForce | undefined> => {
  const decimal = decimalOf(column.type)
  if (column.type !== 'integer' && !decimal) return undefined
  const facts = await measure(work, stage, new Map(decimalFacts(found)))
  const digits = Math.max(Number(facts.get('whole')), await existingDigits(column.name))
  const scale = Math.max(Number(facts.get('fraction')), decimal?.scale ?? 0)
  // A column of a fixed number of decimals stays one, or becomes text: 12.50 and 12.345 have no common decimal that prints both.
  const fixed = decimal && column.format !== 'trimmed' && found.evidence.kind === 'spelled'
  if (fixed && scale !== decimal.scale) return undefined
  const type = decimalFor(digits, scale)
  if (!type) return undefined
  const wider: TypeInForce = { type, format: fixed ? undefined : 'trimmed' }
  const fits = await measure(work, stage, new Map([['fits', always(found.text, keeps(found, wider))]]))
  return fits.get('fits') === true ? wider : undefined
}
