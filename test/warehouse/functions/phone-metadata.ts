// Derives src/warehouse/functions/phone-rules.ts from the metadata of libphonenumber-js. After an update of that
// package `npx vitest run test/warehouse/functions -u` writes the file anew; without -u the test says it is out of date.
import metadata from 'libphonenumber-js/max/metadata'
import { z } from 'zod'

// The metadata's own format (libphonenumber-js METADATA.md): a country is an array; [0] is its calling code, [5] its
// national prefix, [11] one entry a type of line, whose [0] is the pattern of its numbers ('' is "as the one before").
const typeOfLine = z.union([z.literal(0), z.tuple([z.string()]).rest(z.unknown())])
const country = z.array(z.unknown()).transform((fields) => ({
  code: z.string().parse(fields[0]),
  trunk:
    z
      .union([z.string(), z.literal(0)])
      .optional()
      .parse(fields[5]) || '',
  patterns: z
    .array(typeOfLine)
    .parse(fields[11])
    .flatMap((type) => (type === 0 || type[0] === '' ? [] : [type[0]])),
}))
const library = z.object({
  country_calling_codes: z.record(z.string(), z.array(z.string())),
  countries: z.record(z.string(), z.array(z.unknown())),
})

const REGIONS = ['VN', 'US', 'TH', 'SG']

/** The source text of phone-rules.ts as the installed library's metadata gives it. */
export const phoneRulesSource = (): string => {
  const { country_calling_codes: codes, countries } = library.parse(metadata)
  const rules = REGIONS.map((region) => {
    const { code, trunk } = country.parse(countries[region])
    const patterns = new Set((codes[code] ?? []).flatMap((name) => country.parse(countries[name]).patterns))
    return { region, code, trunk, valid: [...patterns].join('|').replaceAll(String.raw`\d`, '[0-9]') }
  })
  return `// The numbering plans that cdp.normalize_phone knows, derived from the metadata of libphonenumber-js by
// test/warehouse/functions/phone-metadata.ts. Do not edit: a test compares it with the installed library.

/** \`valid\` matches a national number without its trunk prefix if some type of line under \`code\` has such numbers. */
export interface PhoneRule {
  readonly region: string
  readonly code: string
  readonly trunk: string
  readonly valid: string
}

export const phoneRules: readonly PhoneRule[] = [
${rules
  .map(
    ({ region, code, trunk, valid }) => `  {
    region: '${region}',
    code: '${code}',
    trunk: '${trunk}',
    valid:
      '${valid}',
  },
`,
  )
  .join('')}]
`
}
