// The public reference of error codes, made from the catalogue itself so that it cannot drift.
import { catalogue } from './error-catalogue.ts'
import { exitCodes, type ErrorKind } from './errors.ts'

/** A stand-in for any fact of an error, be it a text, a number or a list: it prints as its name wherever the message puts it. */
const placeholder = (name: string): unknown => {
  const text = `‹${name}›`
  const asList: Readonly<Record<string, unknown>> = { '0': text, length: 1, join: () => text, map: () => [text] }
  return new Proxy(
    {},
    {
      get(_target, property) {
        if (typeof property === 'string' && Object.hasOwn(asList, property)) return asList[property]
        const found: unknown = Reflect.get(Object(text) as object, property, text)
        return typeof found === 'function' ? (found.bind(text) as unknown) : found
      },
    },
  )
}

const anyFacts = new Proxy({}, { get: (_target, name) => (typeof name === 'string' ? placeholder(name) : undefined) })

/** `docs/errors.md`. */
export const errorReference = (): string => {
  const entries = Object.entries(catalogue) as [
    string,
    { kind: ErrorKind; message: (facts: unknown) => string; hint?: (facts: unknown) => string },
  ][]
  const rows = entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { kind, message, hint }]) => {
      const next = hint === undefined ? '' : `\n\nNext: ${hint(anyFacts)}`
      return `## ${code}\n\n*${kind}, exit code ${exitCodes[kind]}*\n\n${message(anyFacts)}${next}\n`
    })
  return `# Error codes\n\nNames are permanent. What stands in ‹› is filled in with the facts. Only errors of kind *transient* are ever retried.\n\n${rows.join('\n')}`
}
