// Work tables of one opening: tables of the state's dataset that nobody else can name, dropped at the end, and gone by themselves after a
// day should the program not live to do it.
import { randomBytes } from 'node:crypto'
import type { RelationName, Schema } from '../warehouse.ts'
import { scratchPrefix } from './catalog.ts'
import type { BigQuerySession } from './session.ts'
import { literal } from './text.ts'

export interface StoredName {
  readonly schema: Schema
  readonly name: string
}

type Naming = (relation: RelationName) => string

export interface Scratch {
  /** Where a relation really is. */
  stored(relation: RelationName): StoredName
  make(session: BigQuerySession, name: Naming, table: string, definition: string): Promise<void>
  drop(session: BigQuerySession, name: Naming, table: string): Promise<void>
  dropAll(session: BigQuerySession, name: Naming): Promise<void>
}

const dayMs = 86_400_000

export const createScratch = (clock: { now(): number }): Scratch => {
  const opening = randomBytes(6).toString('hex')
  const made = new Set<string>()
  const of = (name: string): RelationName => ({ schema: 'scratch', name })
  return {
    stored: ({ schema, name }) =>
      schema === 'scratch' ? { schema: 'cdp', name: `${scratchPrefix}${opening}_${plain(name)}` } : { schema, name },
    make: async (session, name, table, definition) => {
      made.add(table)
      const expires = `timestamp ${literal(new Date(clock.now() + dayMs).toISOString())}`
      const option = `options (expiration_timestamp = ${expires})`
      const parts = definition.trimStart().startsWith('(') ? [definition, option] : [option, definition]
      await session.runAnyway(`create or replace table ${name(of(table))} ${parts.join('\n')}`)
    },
    drop: async (session, name, table) => {
      if (made.delete(table)) await session.runAnyway(`drop table if exists ${name(of(table))}`)
    },
    // They expire; not being able to drop them is no failure of what is done already.
    dropAll: async (session, name) => {
      const drops = [...made].map((table) => `drop table if exists ${name(of(table))}`)
      made.clear()
      if (drops.length > 0) await session.runAnyway(drops.join(';\n')).catch(() => undefined)
    },
  }
}

// Names of tables have no slashes or dots; two names that become one are told apart by what was left out.
const plain = (name: string): string =>
  name.replaceAll(/[^\p{L}\p{N}_]/gu, (found) => `_${found.codePointAt(0)?.toString(16) ?? ''}_`)
