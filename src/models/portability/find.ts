// Everything in one statement that is not common to both engines, each thing once, in the order of the text.
import type { Finding } from './finding.ts'
import { findFunctions } from './find-functions.ts'
import { findComments, findLiterals } from './find-literals.ts'
import { findClauses, findMarks } from './find-marks.ts'
import { findNames } from './find-names.ts'
import { findOrder } from './find-order.ts'
import { findShapes, findUnnamed } from './find-shapes.ts'
import { piecesOf } from './pieces.ts'

/** `isModel`: its own columns become columns of a relation, so they need names. */
export const findUnportable = async (sql: string, isModel: boolean): Promise<Finding[]> => {
  const pieces = piecesOf(sql)
  const byTokens = [findLiterals, findClauses, findFunctions, findShapes, findOrder, findMarks]
  const found = [
    ...findComments(sql),
    ...byTokens.flatMap((find) => find(pieces)),
    ...(isModel ? findUnnamed(pieces) : []),
    ...(await findNames(sql)),
  ]
  const first = new Map<number, Finding>()
  for (const finding of found) if (!first.has(finding.start)) first.set(finding.start, finding)
  return [...first.values()].toSorted((a, b) => a.start - b.start)
}
