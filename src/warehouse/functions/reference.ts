// The page docs/functions.md, made from the library so that it cannot disagree with it; a test compares the two.
import { functionThemes, type PortableFunction } from './index.ts'

const INTRODUCTION = `# Functions

What a model may call as \`cdp.name(…)\`. Each function means the same on every warehouse, where the engines' own
functions differ in silence: what a difference of dates is, half-way rounding, nulls in \`concat\` and \`greatest\`,
which match a regular expression replaces, what a cast accepts.

* Null in is null out, and a value that cannot be read is null and never an error, unless the function says otherwise.
* \`any\` takes a value of every type. \`integer\` has 64 bits, \`decimal\` is (38, 9), \`timestamp\` is an instant.
* A date or time without a zone is read as UTC. Nothing depends on the time zone of the session.
* Regular expressions are RE2. Formats, patterns and the number of decimals are constants.
* Each example shows the value as \`cdp.to_text\` writes it.
`

const section = ({ name, params, returns, description, example }: PortableFunction): string => {
  const signature = params.map((param) => `${param.name} ${param.type}`).join(', ')
  const result = example.result === null ? 'null' : `\`${example.result}\``
  return `### cdp.${name}\n\n\`cdp.${name}(${signature}) → ${returns}\`\n\n${description}\n\n\`${example.sql}\` gives ${result}.\n`
}

/** The reference page of all portable functions, Markdown. */
export const functionReference = (): string =>
  [
    INTRODUCTION,
    ...functionThemes.flatMap(({ title, functions }) => [`## ${title}\n`, ...functions.map(section)]),
  ].join('\n')
