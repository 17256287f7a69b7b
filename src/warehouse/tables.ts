// The engine's relations as types, made from relations.ts: a column renamed there is a type error wherever it is used.
import type { ColumnType as Typed } from 'kysely'
import type { EngineRelationName, engineRelations } from './relations.ts'

// What is read is a seam value; what is written may also be the JavaScript value that the warehouse takes as a parameter.
interface Values {
  readonly text: string
  readonly integer: Typed<number, number | bigint, number | bigint>
  readonly double: number
  readonly boolean: boolean
  readonly date: string
  readonly timestamp: Typed<string, string | Date, string | Date>
  readonly json: string
  readonly bytes: Uint8Array
}

type Plain<T> = T extends keyof Values
  ? Values[T]
  : T extends `decimal(${string}`
    ? Typed<string, string | number, string | number>
    : never

type Nullable<T> =
  T extends Typed<infer S, infer I, infer U>
    ? Typed<S | null, I | null | undefined, U | null>
    : Typed<T | null, T | null | undefined, T | null>

type Column<T> = T extends `${infer Type}?` ? Nullable<Plain<Type>> : Plain<T>

type Columns<R extends EngineRelationName> = (typeof engineRelations)[R]['columns']

/** `Tables['cdp.runs']['started_at']` and so on. */
export type Tables = {
  [R in EngineRelationName as `cdp.${R}`]: { [C in keyof Columns<R>]: Column<Columns<R>[C]> }
}
