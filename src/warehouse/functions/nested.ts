// Arrays and JSON. A null array counts as an empty one, because one of the engines cannot tell them apart in a table.
import { parameters, type FunctionTheme } from './function.ts'
import { re } from './google.ts'

// A whole number loses the '.0' it may have been written with; text is still in its quotes at that point.
const SCALAR = `regexp_replace(json_value(
    case when typeof(json) in ('VARCHAR', 'JSON') then cast(json as varchar) else cast(to_json(json) as varchar) end, path),
    '^(-?[0-9]+)[.]0$', '\\1')`

// BigQuery's JSON functions take a path only as a literal, so it is walked step by step, down to where nobody's JSON goes. Text comes
// unpacked from its JSON form, anything else as its JSON form. A number loses the zeros it was written with.
const DEEPEST = 10
const STEPS = re(String.raw`\[[0-9]+\]|"[^"]*"|[^.$"\[\]]+`)
const stepped = (source: string, step: number): string => `(select case when array_length(steps) <= ${step} then found
    when starts_with(steps[safe_offset(${step})], '[')
      then json_query_array(found)[safe_offset(safe_cast(trim(steps[safe_offset(${step})], '[]') as int64))]
    else found[trim(steps[safe_offset(${step})], '"')] end as found, steps
  from ${source})`
const WALKED = Array.from({ length: DEEPEST }, (_, step) => step).reduce(
  stepped,
  `(select safe.parse_json(coalesce(json_value(form), form), wide_number_mode => 'round') as found,
    regexp_extract_all(path, ${STEPS}) as steps from (select to_json_string(json) as form))`,
)
const JSON_TEXT = `(select if(array_length(steps) > ${DEEPEST}, null, if(starts_with(to_json_string(found), '"'), json_value(found),
    regexp_replace(json_value(found), ${re('^(-?[0-9]+)[.]0+$|^(-?[0-9]+[.][0-9]*[1-9])0+$')}, ${re(String.raw`\1\2`)})))
  from ${WALKED})`

export const nested: FunctionTheme = {
  title: 'Arrays and JSON',
  functions: [
    {
      name: 'array_has',
      params: parameters({ items: 'array', item: 'any' }),
      returns: 'boolean',
      description: 'Whether an array holds a value; false if either is null.',
      example: { sql: "cdp.array_has(['vip', 'new'], 'vip')", result: 'true' },
      duckdb: 'coalesce(list_contains(items, item), false)',
      bigquery: 'exists(select 1 from unnest(items) as one where one = item)',
    },
    {
      name: 'array_size',
      params: parameters({ items: 'array' }),
      returns: 'integer',
      description: 'How many items an array has, nulls included; 0 for null.',
      example: { sql: "cdp.array_size(['vip', 'new'])", result: '2' },
      duckdb: 'coalesce(len(items), 0)',
      bigquery: 'coalesce(array_length(items), 0)',
    },
    {
      name: 'array_first',
      params: parameters({ items: 'array' }),
      returns: 'any',
      description: 'The first item of an array; null if it is empty.',
      example: { sql: "cdp.array_first(['vip', 'new'])", result: 'vip' },
      duckdb: 'items[1]',
      bigquery: 'items[safe_offset(0)]',
    },
    {
      name: 'greatest_of',
      params: parameters({ items: 'array' }),
      returns: 'any',
      description: 'The greatest item of an array, nulls left out; null if there is none.',
      example: { sql: 'cdp.greatest_of([3, null, 5])', result: '5' },
      duckdb: 'list_max(items)',
      bigquery: '(select max(one) from unnest(items) as one)',
    },
    {
      name: 'least_of',
      params: parameters({ items: 'array' }),
      returns: 'any',
      description: 'The least item of an array, nulls left out; null if there is none.',
      example: { sql: 'cdp.least_of([3, null, 5])', result: '3' },
      duckdb: 'list_min(items)',
      bigquery: '(select min(one) from unnest(items) as one)',
    },
    {
      name: 'json_text',
      params: parameters({ json: 'any', path: 'text' }),
      returns: 'text',
      description:
        'The text, number or boolean at a path (`$.a.b[0]`) of JSON, as `to_text` writes it; null if there is none, if it is an object, an array or null, and if the JSON is broken.',
      example: { sql: `cdp.json_text('{"utm": {"source": "zalo"}}', '$.utm.source')`, result: 'zalo' },
      duckdb: `try(json_extract_string(${SCALAR}, '$'))`,
      bigquery: JSON_TEXT,
    },
  ],
}
