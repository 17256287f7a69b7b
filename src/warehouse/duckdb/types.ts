// The engine's types in its own words.
import duckdb, { type LogicalType, type Type } from '@duckdb/node-bindings'

const words: Readonly<Record<string, string>> = {
  TIME_TZ: 'TIME WITH TIME ZONE',
  TIMESTAMP_TZ: 'TIMESTAMP WITH TIME ZONE',
  SQLNULL: '"NULL"',
}

const list = (count: number, text: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => text(at)).join(', ')

const field = (name: string, type: LogicalType): string => `"${name.replaceAll('"', '""')}" ${typeText(type)}`

// Types made of others; the rest are one word.
const compound: Readonly<Partial<Record<Type, (type: LogicalType) => string>>> = {
  [duckdb.Type.DECIMAL]: (type) => `DECIMAL(${duckdb.decimal_width(type)},${duckdb.decimal_scale(type)})`,
  [duckdb.Type.LIST]: (type) => `${typeText(duckdb.list_type_child_type(type))}[]`,
  [duckdb.Type.ARRAY]: (type) =>
    `${typeText(duckdb.array_type_child_type(type))}[${duckdb.array_type_array_size(type)}]`,
  [duckdb.Type.MAP]: (type) =>
    `MAP(${typeText(duckdb.map_type_key_type(type))}, ${typeText(duckdb.map_type_value_type(type))})`,
  [duckdb.Type.STRUCT]: (type) =>
    `STRUCT(${list(duckdb.struct_type_child_count(type), (at) =>
      field(duckdb.struct_type_child_name(type, at), duckdb.struct_type_child_type(type, at)),
    )})`,
  [duckdb.Type.UNION]: (type) =>
    `UNION(${list(duckdb.union_type_member_count(type), (at) =>
      field(duckdb.union_type_member_name(type, at), duckdb.union_type_member_type(type, at)),
    )})`,
  [duckdb.Type.ENUM]: (type) =>
    `ENUM(${list(
      duckdb.enum_dictionary_size(type),
      (at) => `'${duckdb.enum_dictionary_value(type, at).replaceAll("'", "''")}'`,
    )})`,
}

/** `BIGINT`, `DECIMAL(18,2)`, `VARCHAR[]`, `STRUCT("a" BIGINT)`, `JSON`. */
export const typeText = (type: LogicalType): string => {
  const alias = duckdb.logical_type_get_alias(type)
  if (alias !== null && alias !== '') return alias
  const id = duckdb.get_type_id(type)
  const name = duckdb.Type[id]
  return compound[id]?.(type) ?? words[name] ?? name
}
