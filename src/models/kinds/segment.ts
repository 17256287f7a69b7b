// `kind: segment`: a SELECT that gives each member's person_id once. Besides the table it keeps who entered and left when, and its size.
// A person merged into another keeps its membership under the id that stays: a merge is neither leaving nor entering.
import { CdpError } from '../../core/errors.ts'
import { contentOf } from '../content.ts'
import { didYouMean } from '../../core/nearest.ts'
import {
  render,
  type BuildContext,
  type CompiledModel,
  type Kind,
  type RelationName,
  type Warehouse,
} from '../model.ts'
import { modelName, replaceExamined } from './replace.ts'

export const segment: Kind<object> = {
  kind: 'segment',
  header: (z) => z.object({}),
  requires: () => ['person_id'],
  build: async (model, context) => {
    const { warehouse } = context
    const select = render(model.sql, warehouse, context.instant)
    await checkColumn(model, warehouse, select)
    let changes = { entered: 0, left: 0 }
    await replaceExamined(
      warehouse,
      model.name,
      { select },
      (stage) => checkMembers(model, warehouse, stage),
      async () => {
        changes = await updateMembers(model, context)
      },
    )
    const content = await contentOf(warehouse, modelName(model.name))
    return { rows: content.rows, content: content.text, detail: `${changes.entered} entered, ${changes.left} left` }
  },
}

const checkColumn = async (model: CompiledModel, warehouse: Warehouse, select: string): Promise<void> => {
  const names = (await warehouse.describe(select)).map((column) => column.name)
  if (names.some((name) => name.toLowerCase() === 'person_id')) return
  const args = {
    model: model.name,
    column: 'person_id',
    why: 'a segment must give',
    near: didYouMean('person_id', names),
  }
  throw new CdpError('MODEL_COLUMN', args, { place: { file: model.file, line: model.sqlLine } })
}

const checkMembers = async (model: CompiledModel, warehouse: Warehouse, stage: RelationName): Promise<void> => {
  const from = warehouse.name(stage)
  const [row] = await warehouse.all<{ duplicates: number; nulls: number }>(
    `select (select count(*) from (select 1 as one from ${from} where person_id is not null group by person_id having count(*) > 1) as d) as duplicates,
      (select count(*) from ${from} where person_id is null) as ${warehouse.quote('nulls')}`,
  )
  const { duplicates, nulls } = row ?? { duplicates: 0, nulls: 0 }
  if (duplicates + nulls === 0) return
  const args = { segment: model.name, duplicates, nulls }
  throw new CdpError('SEGMENT_MEMBERS', args, { place: { file: model.file, line: model.sqlLine } })
}

const updateMembers = async (
  model: CompiledModel,
  { warehouse, runId, instant }: BuildContext,
): Promise<{ entered: number; left: number }> => {
  const members = warehouse.name({ schema: 'cdp', name: 'segment_members' })
  const sizes = warehouse.name({ schema: 'cdp', name: 'segment_sizes' })
  const now = warehouse.name(modelName(model.name))
  const name = warehouse.literal(model.name)
  const timestamp = warehouse.typeName('timestamp')
  const at = `cast(${warehouse.literal(instant)} as ${timestamp})`
  const text = warehouse.typeName('text')
  const open = `m.segment = ${name} and m.left_at is null`
  const isMember = `exists (select 1 from ${now} as t where cast(t.person_id as ${text}) = m.person_id)`
  const run = warehouse.literal(runId)

  const moves = await findMoves(warehouse, { model: model.name, members, open, isMember })
  try {
    return await warehouse.transaction(async () => {
      if (moves !== undefined) {
        const from = warehouse.name(moves)
        await warehouse.run(`delete from ${members} as m where ${open} and m.person_id in (select old_id from ${from})`)
        await warehouse.run(
          `insert into ${members} (segment, person_id, entered_at, left_at)
           select distinct ${name}, person_id, entered_at, cast(null as ${timestamp}) from ${from}`,
        )
      }
      const left = await warehouse.run(`update ${members} as m set left_at = ${at} where ${open} and not ${isMember}`)
      const entered = await warehouse.run(
        `insert into ${members} (segment, person_id, entered_at, left_at)
         select ${name}, cast(t.person_id as ${text}), ${at}, cast(null as ${timestamp}) from ${now} as t
         where not exists (select 1 from ${members} as m where ${open} and m.person_id = cast(t.person_id as ${text}))`,
      )
      await warehouse.run(`delete from ${sizes} where segment = ${name} and run_id = ${run}`)
      await warehouse.run(
        `insert into ${sizes} (segment, run_id, ${warehouse.quote('at')}, members, entered, ${warehouse.quote('left')})
         select ${name}, ${run}, ${at}, count(*), ${entered.changed}, ${left.changed} from ${now}`,
      )
      return { entered: entered.changed, left: left.changed }
    })
  } finally {
    if (moves !== undefined) await warehouse.dropScratch(moves.name)
  }
}

// Open memberships of ids that are no more go to the id that each leads to; where that one is a member too, the earlier entry counts.
// An id that leads to different persons in different graphs is left alone, and so is one that is a member under its own name.
const findMoves = async (
  warehouse: Warehouse,
  found: { readonly model: string; readonly members: string; readonly open: string; readonly isMember: string },
): Promise<RelationName | undefined> => {
  const { members, open, isMember } = found
  const redirects = `(select d.old_id, min(d.person_id) as person_id
    from ${warehouse.name({ schema: 'cdp', name: 'person_redirects' })} as d
    group by d.old_id having count(distinct d.person_id) = 1) as r`
  const moved = `${members} as m join ${redirects} on r.old_id = m.person_id where ${open} and not ${isMember}`
  const [row] = await warehouse.all<{ n: number }>(`select count(*) as n from ${moved}`)
  if ((row?.n ?? 0) === 0) return undefined
  const moves: RelationName = { schema: 'scratch', name: `moves_${found.model}` }
  await warehouse.makeScratch(
    moves.name,
    `as with moved as (select m.person_id as old_id, r.person_id as person_id, m.entered_at as entered_at from ${moved}),
     old as (select old_id, person_id, entered_at from moved
       union all select m.person_id as old_id, m.person_id as person_id, m.entered_at as entered_at from ${members} as m
       where ${open} and m.person_id in (select person_id from moved))
     select old_id, person_id, min(entered_at) over (partition by person_id) as entered_at from old`,
  )
  return moves
}
