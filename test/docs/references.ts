// Makes the reference pages of docs/ from the code itself: options from the doc comments of the define files, commands from their own
// help, state from the relations. A test holds the pages to it, so that they cannot drift; UPDATE_DOCS=1 writes them.
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { commands } from '../../src/cli/commands.ts'
import { errorReference } from '../../src/core/error-reference.ts'
import { whyOf, type Rule } from '../../src/models/portability/rule.ts'
import { ruleThemes } from '../../src/models/portability/rules.ts'
import { sameFunctions } from '../../src/models/portability/same-functions.ts'
import { sameParts } from '../../src/models/portability/special.ts'
import { sameOfNull, sameTypes } from '../../src/models/portability/types.ts'
import { reservedByBigQuery, reservedByDuckDb } from '../../src/models/portability/words.ts'
import { engineRelations } from '../../src/warehouse/relations.ts'

const repository = new URL('../..', import.meta.url)

interface Option {
  readonly name: string
  readonly type: string
  readonly optional: boolean
  readonly about: string
}

/** The members of an exported interface, with their doc comments; a member without one stands alone. */
const membersOf = (file: string, name: string): readonly Option[] => {
  const text = readFileSync(new URL(file, repository), 'utf8')
  const start = new RegExp(`export interface ${name}\\b[^{]*\\{\\n`).exec(text)
  if (start === null) throw new Error(`${file} has no interface ${name}`)
  const body = text.slice(start.index + start[0].length, text.indexOf('\n}', start.index))
  const options: Option[] = []
  let about = ''
  for (const part of body.split(/\n(?= {2}(?:\/\*\*|readonly ))/)) {
    const comment = /\/\*\*([\s\S]*?)\*\//.exec(part)
    if (comment) about = (comment[1] ?? '').replaceAll(/\s*\n\s*\*?\s*/g, ' ').trim()
    const member = /^ {2}readonly (\w+)(\??): ([\s\S]+)$/m.exec(
      comment ? part.replace(comment[0], '').trimStart().replace(/^/, '  ') : part,
    )
    if (!member) continue
    options.push({
      name: member[1] ?? '',
      optional: member[2] === '?',
      type: (member[3] ?? '').replaceAll(/\s+/g, ' ').trim(),
      about,
    })
    about = ''
  }
  return options
}

const optionTable = (title: string, file: string, name: string): string => {
  const rows = membersOf(file, name).map(
    ({ name: option, optional, type, about }) =>
      `| \`${option}\`${optional ? '' : ' (required)'} | \`${type.replaceAll('|', '\\|')}\` | ${about.replaceAll('|', '\\|')} |`,
  )
  return `## ${title}\n\n| option | type | |\n|---|---|---|\n${rows.join('\n')}\n`
}

export const optionReference = (): string =>
  [
    '# Options\n\nMade from the doc comments of the code. What an editor shows is the same.\n',
    optionTable('The project: `defineProject`', 'src/project/define-project.ts', 'ProjectDefinition'),
    optionTable('A warehouse: `duckdb`', 'src/warehouse/define-duckdb.ts', 'DuckDbSettings'),
    optionTable('How a stream lands', 'src/ingest/source.ts', 'StreamSettings'),
    optionTable('Files of a stream', 'src/ingest/source.ts', 'ScanRead'),
    optionTable('A sync: `defineSync`', 'src/sync/define-sync.ts', 'SyncDefinition'),
    optionTable('Its guards', 'src/sync/define-sync.ts', 'Guard'),
  ].join('\n')

export const commandReference = async (): Promise<string> => {
  const pages: string[] = []
  for (const [name, entry] of Object.entries(commands)) {
    const command = new Command(name).description(entry.summary)
    // Help of the same width wherever it is made.
    command.configureHelp({ helpWidth: 100 })
    ;(await entry.load()).define(command, async () => undefined)
    let text = ''
    command.configureOutput({ writeOut: (part) => (text += part) })
    command.outputHelp()
    const parts = [text.trim()]
    for (const sub of command.commands) parts.push(sub.configureHelp({ helpWidth: 100 }).helpInformation().trim())
    pages.push(`## cdp ${name}\n\n\`\`\`\n${parts.join('\n\n')}\n\`\`\`\n`)
  }
  return `# Commands\n\nMade from the commands' own help. stdout is data: a table on a terminal, NDJSON in a pipe or under \`--json\`; stderr is talk.\n\n${pages.join('\n')}`
}

export const stateReference = (): string => {
  const pages = Object.entries(engineRelations).map(([name, relation]) => {
    const rows = Object.entries(relation.columns).map(([column, type]) => {
      const text: string = type
      return `| \`${column}\`${(relation.key as readonly string[]).includes(column) ? ' (key)' : ''} | ${text.replace('?', '')} | ${text.endsWith('?') ? 'may be null' : ''} |`
    })
    return `## cdp.${name}\n\n${relation.about}.\n\n| column | type | |\n|---|---|---|\n${rows.join('\n')}\n`
  })
  return `# State\n\nEverything the engine knows is in schema \`cdp\` of the warehouse, and can be read with a SELECT. Made from \`src/warehouse/relations.ts\`.\n\n${pages.join('\n')}`
}

const coded = (names: Iterable<string>): string => [...names].map((name) => `\`${name}\``).join(', ')

const ruleTable = (title: string, rules: readonly Rule[]): string => {
  const code = (sql: string): string => sql.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ')
  const cell = (words: string): string => code(words).replaceAll(/<(\w+)>/g, '‹$1›')
  const rows = rules.map((rule) => {
    const example = `\`\` ${code(rule.example)} \`\``
    const mark = rule.documented ? ' ¹' : ''
    return `| ${cell(rule.found)} | ${cell(whyOf(rule))}${mark} | ${cell(rule.say)} | ${example} |`
  })
  return `### ${title}\n\n| written | it | write | seen in |\n|---|---|---|---|\n${rows.join('\n')}\n`
}

export const portabilityReference = (): string => {
  const intro = readFileSync(new URL('test/docs/portability-intro.md', repository), 'utf8')
  const lists = [
    `Functions: every \`cdp.…\` function, and ${coded(Object.keys(sameFunctions))}.`,
    `Types in casts: ${coded(Object.keys(sameTypes))}; of a null also ${coded(Object.keys(sameOfNull))}.`,
    `Parts in \`extract\`: ${coded(sameParts)}.`,
    `Operators: \`+ - * || = <> != < <= > >=\`, \`and or not\`, \`is [not] null\`, \`is [not] distinct from\`, \`between\`, \`in\`, \`like\`.`,
  ]
  const words = [
    `BigQuery reserves ${coded(reservedByBigQuery)}.`,
    `DuckDB reserves ${coded([...reservedByDuckDb].filter((word) => !reservedByBigQuery.has(word)))} besides, and ${coded([...reservedByDuckDb].filter((word) => reservedByBigQuery.has(word)))} as well.`,
  ]
  const tables = Object.entries(ruleThemes).map(([title, rules]) => ruleTable(title, rules))
  return [
    `${intro.trim()}\n\n## What is common\n\n${lists.map((line) => `* ${line}`).join('\n')}\n`,
    `## What is named\n\n${tables.join('\n')}`,
    `¹ By the vendor's documentation, or because chance decides; every other line is held against both engines by a test.\n`,
    `## Reserved words\n\nA word that one engine reserves is no bare name for a column, an alias, a CTE or a window. After a dot every word is a name on both.\n\n${words.map((line) => `* ${line}`).join('\n')}\n`,
  ].join('\n')
}

/** Page -> its text. */
export const references = async (): Promise<ReadonlyMap<string, string>> =>
  new Map([
    ['docs/errors.md', errorReference()],
    ['docs/options.md', optionReference()],
    ['docs/commands.md', await commandReference()],
    ['docs/state.md', stateReference()],
    ['docs/portability.md', portabilityReference()],
  ])
