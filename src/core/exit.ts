// How several failures become one exit code: the worst of bug, auth, data, transient, config wins.
import { exitCodes, isCdpError, isProblems, type ErrorKind } from './errors.ts'
import { fromSystem } from './system-error.ts'

const order: readonly ErrorKind[] = ['interrupted', 'bug', 'auth', 'data', 'transient', 'config', 'usage']

export const kindOfError = (thrown: unknown): ErrorKind => {
  const error = fromSystem(thrown)
  if (isCdpError(error)) return error.kind
  if (isProblems(error)) return worstKind(error.problems.map((problem) => problem.kind)) ?? 'config'
  return 'bug'
}

/** The kind that decides the exit code, or undefined when there was no failure. */
export const worstKind = (kinds: Iterable<ErrorKind | undefined>): ErrorKind | undefined => {
  const met = new Set(kinds)
  return order.find((kind) => met.has(kind))
}

export const exitCodeOf = (kind: ErrorKind | undefined): number => (kind === undefined ? 0 : exitCodes[kind])
