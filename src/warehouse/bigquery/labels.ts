// Labels on what statements create, as on the jobs that run them: what a bill or a console shows a table by.
import type { Step } from '../step.ts'
import { statementsOf, type Token } from './lexer.ts'
import type { Edit } from './qualify.ts'
import { literal } from './text.ts'

export type Labels = Readonly<Record<string, string>>

/** Of a job, and of a table made by it: those of the settings, and which run and step it is of. */
export const labelsOf = (settings: Labels, step: Step | undefined): Labels => ({
  ...settings,
  ...(step ? { cdp_run: labelPart(step.run), cdp_step: labelPart(step.step) } : {}),
})

const labelPart = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^\p{Ll}\p{Lo}\p{N}_-]+/gu, '_')
    .slice(0, 63)

const copies = /^(?:copy|clone)$/
const creates = /^create (?:or replace )?(?:table|view) /

/** Options for each table and view that a text creates, before its AS or at its end; beside those that it has. A copy has its source's. */
export const labelled = (tokens: readonly Token[], labels: Labels): Edit[] => {
  const entries = Object.entries(labels).map(([key, value]) => `(${literal(key)}, ${literal(value)})`)
  if (entries.length === 0) return []
  const option = `labels = [${entries.join(', ')}]`
  return statementsOf(tokens).flatMap((statement) => {
    const words = statement.map(({ text }) => text.toLowerCase())
    const isCopy = statement.some(({ kind }, at) => kind === 'other' && copies.test(words[at] ?? ''))
    return creates.test(words.slice(0, 5).join(' ')) && !isCopy ? [place(statement, words, option)] : []
  })
}

const place = (statement: readonly Token[], words: readonly string[], option: string): Edit => {
  let depth = 0
  for (const [at, token] of statement.entries()) {
    if (token.text === '(' && token.kind === 'mark') {
      depth += 1
      if (depth === 1 && words[at - 1] === 'options') return insert(token, `${option}, `)
    } else if (token.text === ')' && token.kind === 'mark') depth -= 1
    const isAs = depth === 0 && words[at] === 'as' && token.kind === 'other'
    if (isAs) return { start: token.start, end: token.start, text: `options (${option}) ` }
  }
  const last = statement.at(-1)
  return last ? insert(last, ` options (${option})`) : { start: 0, end: 0, text: '' }
}

const insert = ({ start, text }: Token, more: string): Edit => ({
  start: start + text.length,
  end: start + text.length,
  text: more,
})
