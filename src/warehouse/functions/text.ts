// Cleaning of names and e-mail addresses, folding for matching, and string functions whose engines' own versions
// differ in silence: a part that is not there is '' on one engine and an error on the other, a regular expression
// replaces its first match on one and every match on the other.
import { BLANK, BLANK_RUN, INVISIBLE, LATIN_WORD } from './characters.ts'
import { parameters, type FunctionTheme } from './function.ts'
import { re, shapedText, STRING } from './google.ts'

const TEXT = 'cast(value as varchar)'
const EDGES = `^[${BLANK}]+|[${BLANK}]+$`

// RFC 5322 allows far more than anybody owns. What is refused here is what separates two addresses in one cell. Domains
// may be of any script; the ranges say so with a fraction of the work that \p{L} is to compile.
const LETTERS = String.raw`a-z\x{AA}-\x{1FFF}\x{2C00}-\x{2DFF}\x{3040}-\x{D7FF}\x{F900}-\x{FDFF}`
const LABEL = `[0-9${LETTERS}](?:[-0-9${LETTERS}]*[0-9${LETTERS}])?`
const EMAIL = String.raw`[^${BLANK}@<>()\[\],;:"\\]+@(?:${LABEL}\.)+(?:[${LETTERS}][${LETTERS}]+|xn--[a-z0-9-]+)`

export const text: FunctionTheme = {
  title: 'Text',
  functions: [
    {
      name: 'trim_text',
      params: parameters({ value: 'any' }),
      returns: 'text',
      description:
        'Without blanks at both ends; no-break, zero-width and control characters are blanks too. Null if nothing is left.',
      example: { sql: "cdp.trim_text('  Hà Nội ')", result: 'Hà Nội' },
      duckdb: `nullif(regexp_replace(${TEXT}, '${EDGES}', '', 'g'), '')`,
      bigquery: `nullif(regexp_replace(${STRING}, ${re(EDGES)}, ''), '')`,
    },
    {
      name: 'squeeze_text',
      params: parameters({ value: 'any' }),
      returns: 'text',
      description:
        'Trimmed, every run of blanks inside is one space, invisible characters are removed. Null if nothing is left.',
      example: { sql: "cdp.squeeze_text(' Lê   Chi ')", result: 'Lê Chi' },
      duckdb: `nullif(regexp_replace(regexp_replace(${TEXT}, '[${INVISIBLE}]+|${EDGES}', '', 'g'),
    '${BLANK_RUN}', ' ', 'g'), '')`,
      bigquery: `nullif(regexp_replace(regexp_replace(${STRING}, ${re(`[${INVISIBLE}]+|${EDGES}`)}, ''),
    ${re(BLANK_RUN)}, ' '), '')`,
    },
    {
      name: 'normalize_name',
      params: parameters({ value: 'any' }),
      returns: 'text',
      description: 'A name to show: NFC, trimmed, single spaces, case kept. Null if nothing is left.',
      example: { sql: "cdp.normalize_name('  Nguyễn   Văn An ')", result: 'Nguyễn Văn An' },
      duckdb: 'nfc_normalize(cdp.squeeze_text(value))',
      bigquery: 'normalize(cdp.squeeze_text(value), nfc)',
    },
    {
      name: 'fold',
      params: parameters({ value: 'any' }),
      returns: 'text',
      description:
        'A name to compare: lower case, marks of Latin, Greek and Cyrillic letters removed (U+0300 to U+036F), đ is d, trimmed, single spaces. ' +
        'NFC and NFD give the same. Vowels and tones of Thai and other scripts stay, because there they are letters. Punctuation stays. Null if nothing is left.',
      example: { sql: "cdp.fold('Đặng  Thùy TRÂM')", result: 'dang thuy tram' },
      // Most names are clean and Latin. strip_accents removes every mark of every script, so text in other scripts goes
      // letter by letter.
      duckdb: `replace(lower(case
    when regexp_full_match(${TEXT}, '[${LATIN_WORD}]+(?: [${LATIN_WORD}]+)*') then strip_accents(${TEXT})
    when regexp_full_match(${TEXT}, '[${LATIN_WORD}${BLANK}]*') then strip_accents(cdp.squeeze_text(value))
    else array_to_string(list_transform(string_split(cdp.normalize_name(value), ''),
      lambda letter: case when regexp_full_match(letter, '[\\p{Latin}\\p{Greek}\\p{Cyrillic}\\x{300}-\\x{36F}]')
        then strip_accents(letter) else letter end), '') end), 'đ', 'd')`,
      bigquery: `replace(lower(normalize(regexp_replace(normalize(cdp.squeeze_text(value), nfd),
    ${re(String.raw`[\x{300}-\x{36F}]+`)}, ''), nfc)), 'đ', 'd')`,
    },
    {
      name: 'normalize_email',
      params: parameters({ value: 'any' }),
      returns: 'text',
      description:
        'An e-mail address in lower case and NFC, blanks at the ends and zero-width characters removed; null unless it has the shape `something@domain.tld`, ' +
        'so `N/A`, two addresses in one cell and `Name <address>` are null. Dots and `+tag` stay: they are the business of the destination that ignores them.',
      example: { sql: "cdp.normalize_email('  CHI@Example.com ')", result: 'chi@example.com' },
      duckdb: `nullif(regexp_extract(nfc_normalize(lower(regexp_replace(${TEXT}, '\\p{Cf}+|${EDGES}', '', 'g'))),
    '^${EMAIL}$'), '')`,
      bigquery: `nullif(${shapedText(
        `normalize(lower(regexp_replace(${STRING}, ${re(String.raw`\p{Cf}+|` + EDGES)}, '')), nfc)`,
        EMAIL,
      )}, '')`,
    },
    {
      name: 'split_part',
      params: parameters({ value: 'any', separator: 'text', part: 'integer' }),
      returns: 'text',
      description:
        'The part with this number, from 1, of a text split at every separator. Null if there is no such part or the separator is empty.',
      example: { sql: "cdp.split_part('an@example.com', '@', 2)", result: 'example.com' },
      duckdb: `case when part >= 1 and separator <> '' then string_split(${TEXT}, separator)[part] end`,
      bigquery: `case when part >= 1 and separator <> '' then split(${STRING}, separator)[safe_ordinal(part)] end`,
    },
    {
      name: 'join_text',
      params: parameters({ parts: 'array', separator: 'text' }),
      returns: 'text',
      description: 'The texts of an array with a separator between them; nulls are left out. Null if no part is left.',
      example: { sql: "cdp.join_text(['12 Lê Lợi', null, 'Huế'], ', ')", result: '12 Lê Lợi, Huế' },
      duckdb: `case when list_count(parts) > 0 and separator is not null
  then array_to_string(list_transform(parts, lambda part: cdp.to_text(part)), separator) end`,
      bigquery: `if(separator is not null and exists(select 1 from unnest(parts) as part where part is not null),
  array_to_string(array(select cdp.to_text(part) from unnest(parts) as part with offset as place
    where part is not null order by place), separator), null)`,
    },
    {
      name: 'regexp_contains',
      params: parameters({ value: 'any', pattern: 'text' }),
      returns: 'boolean',
      description: 'Whether an RE2 pattern is found anywhere in the text.',
      example: { sql: "cdp.regexp_contains('SKU-1042', '[0-9]{4}')", result: 'true' },
      duckdb: `regexp_matches(${TEXT}, pattern)`,
      bigquery: `regexp_contains(${STRING}, pattern)`,
    },
    {
      name: 'regexp_first',
      params: parameters({ value: 'any', pattern: 'text' }),
      returns: 'text',
      description: 'The first match of an RE2 pattern without capturing groups; null if there is none or it is empty.',
      example: { sql: "cdp.regexp_first('SKU-1042-7', '[0-9]+')", result: '1042' },
      duckdb: `nullif(regexp_extract(${TEXT}, pattern), '')`,
      bigquery: `nullif(regexp_extract(${STRING}, pattern), '')`,
    },
    {
      name: 'regexp_replace_all',
      params: parameters({ value: 'any', pattern: 'text', replacement: 'text' }),
      returns: 'text',
      description: String.raw`Every match of an RE2 pattern replaced; \1 to \9 in the replacement are the groups.`,
      example: { sql: "cdp.regexp_replace_all('a-b-c', '-', '+')", result: 'a+b+c' },
      duckdb: `regexp_replace(${TEXT}, pattern, replacement, 'g')`,
      bigquery: `regexp_replace(${STRING}, pattern, replacement)`,
    },
  ],
}
