// Syntax trees as plain JSON: the parsers' own types do not tell the places they carry, so what is met is looked at before it is used.
import type { Position } from '../text-position.ts'

export type Node = { readonly [key: string]: unknown }

export const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const nodesIn = (list: readonly unknown[]): Node[] => list.filter(isNode)

export const nodeAt = (node: Node, key: string): Node | undefined => {
  const value = node[key]
  return isNode(value) ? value : undefined
}

export const listAt = (node: Node, key: string): readonly unknown[] | undefined => {
  const value = node[key]
  return Array.isArray(value) ? value : undefined
}

export const textAt = (node: Node, key: string): string | undefined => {
  const value = node[key]
  return typeof value === 'string' ? value : undefined
}

/** A name in the SQL parser's tree. */
export interface Ident {
  readonly value: string
  readonly quote_style?: string
  readonly span: { readonly start: Position; readonly end: Position }
}

export const isIdent = (value: unknown): value is Ident =>
  isNode(value) && typeof value['value'] === 'string' && isNode(value['span'])
