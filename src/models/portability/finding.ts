// What the check finds: a rule that holds and where.
import type { Piece } from './pieces.ts'
import { override, type Rule } from './rule.ts'

/** A rule, or something that is only known not to be common. */
export type Complaint = Pick<Rule, 'found' | 'refusedBy' | 'why' | 'say'>

export interface Finding {
  readonly complaint: Complaint
  /** In the statement. */
  readonly start: number
}

export type Finder = (pieces: readonly Piece[]) => Finding[]

export const at = (piece: Piece, complaint: Complaint): Finding => ({ complaint, start: piece.start })

/** Of what stands in no table. */
export const unknown = (found: string, say = `a cdp.… function (docs/functions.md), or ${override}`): Complaint => ({
  found,
  say,
})
