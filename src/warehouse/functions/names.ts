// Names to compare whatever the order of their words: forms and people swap family and given names.
import { parameters, type FunctionTheme } from './function.ts'
import { re } from './google.ts'

export const names: FunctionTheme = {
  title: 'Names',
  functions: [
    {
      name: 'name_key',
      params: parameters({ value: 'any' }),
      returns: 'text',
      description:
        'A name to compare in whatever order its words stand: folded, without punctuation, words sorted. Null if nothing is left.',
      example: { sql: "cdp.name_key('Nguyễn, Văn An')", result: 'an nguyen van' },
      duckdb: `nullif(array_to_string(list_sort(string_split(
  trim(regexp_replace(cdp.fold(value), '[^\\p{L}\\p{M}\\p{N}]+', ' ', 'g')), ' ')), ' '), '')`,
      bigquery: `nullif(array_to_string(array(select word from unnest(split(
  trim(regexp_replace(cdp.fold(value), ${re(String.raw`[^\p{L}\p{M}\p{N}]+`)}, ' '), ' '), ' ')) as word order by word), ' '), '')`,
    },
  ],
}
