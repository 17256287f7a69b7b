// The engine's types in its own words.
import duckdb, { type LogicalType } from '@duckdb/node-bindings'

const words: Readonly<Record<string, string>> = {
  TIME_TZ: 'TIME WITH TIME ZONE',
  TIMESTAMP_TZ: 'TIMESTAMP WITH TIME ZONE',
  SQLNULL: '"NULL"',
}

const list = (count: number, text: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => text(at)).join(', ')

const field = (name: string, type: LogicalType): string => `"${name.replaceAll('"', '""')}" ${typeText(type)}`

/** `BIGINT`, `DECIMAL(18,2)`, `VARCHAR[]`, `STRUCT("a" BIGINT)`, `JSON`. */
export const typeText = (type: LogicalType): string => {
  const alias = duckdb.logical_type_get_alias(type)
  if (alias !== null && alias !== '') return alias
  const id = duckdb.get_type_id(type)
  switch (id) {
    case duckdb.Type.DECIMAL:
      return `DECIMAL(${duckdb.decimal_width(type)},${duckdb.decimal_scale(type)})`
    case duckdb.Type.LIST:
      return `${typeText(duckdb.list_type_child_type(type))}[]`
    case duckdb.Type.ARRAY:
      return `${typeText(duckdb.array_type_child_type(type))}[${duckdb.array_type_array_size(type)}]`
    case duckdb.Type.MAP:
      return `MAP(${typeText(duckdb.map_type_key_type(type))}, ${typeText(duckdb.map_type_value_type(type))})`
    case duckdb.Type.STRUCT:
      return `STRUCT(${list(duckdb.struct_type_child_count(type), (at) =>
        field(duckdb.struct_type_child_name(type, at), duckdb.struct_type_child_type(type, at)),
      )})`
    case duckdb.Type.UNION:
      return `UNION(${list(duckdb.union_type_member_count(type), (at) =>
        field(duckdb.union_type_member_name(type, at), duckdb.union_type_member_type(type, at)),
      )})`
    case duckdb.Type.ENUM:
      return `ENUM(${list(
        duckdb.enum_dictionary_size(type),
        (at) => `'${duckdb.enum_dictionary_value(type, at).replaceAll("'", "''")}'`,
      )})`
    default: {
      const name = duckdb.Type[id]
      return words[name] ?? name
    }
  }
}
