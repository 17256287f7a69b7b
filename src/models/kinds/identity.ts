// `kind: identity`: a SELECT of records becomes the same records with the person each belongs to. The work is done in identity/; here is
// what the header may say.
import type { IdentityOutcome } from '../../identity/build.ts'
import type { IdentitySettings } from '../../identity/settings.ts'
import { contentOf } from '../content.ts'
import { render, type Kind } from '../model.ts'
import { modelName, replaceRelation } from './replace.ts'

export const identity: Kind<IdentitySettings> = {
  kind: 'identity',
  header: (z) => {
    const list = z.union([z.string().transform((one) => [one]), z.array(z.string()).min(1)])
    const guards = z.strictObject({
      max_shared_by: z.int().positive().optional(),
      max_per_person: z.int().positive().optional(),
    })
    return z
      .object({
        record: list,
        seen_at: z.string().optional(),
        names: list.default([]),
        identifiers: z
          .record(
            z.string(),
            guards.nullable().transform((given) => given ?? {}),
          )
          .refine((identifiers) => Object.keys(identifiers).length > 0, { message: 'must name at least one column' }),
        junk: z
          .array(z.union([z.string(), z.number()]))
          .default([])
          .transform((values) => values.map(String)),
      })
      .refine(({ record, identifiers }) => record.every((column) => !(column in identifiers)), {
        path: ['identifiers'],
        message: 'must not name a column of `record`: a record key says nothing about the person',
      })
  },
  requires: ({ record, seen_at, names, identifiers }) => [
    ...record,
    ...(seen_at === undefined ? [] : [seen_at]),
    ...names,
    ...Object.keys(identifiers),
  ],
  columns: (_header, select) => [...select, { name: 'person_id', type: 'STRING' }],
  build: async (model, { warehouse, runId, instant }) => {
    const { buildIdentity } = await import('../../identity/build.ts')
    const outcome = await buildIdentity({
      warehouse,
      graph: model.name,
      select: render(model.sql, warehouse, instant),
      settings: model.header,
      runId,
      instant,
      place: { file: model.file },
      publish: (select) => replaceRelation(warehouse, model.name, 'table', select),
    })
    const content = await contentOf(warehouse, modelName(model.name))
    return { rows: outcome.records, content: content.text, detail: detailOf(outcome) }
  },
}

/** `13 records are 6 persons; 1 merged; 2 values newly blocked` */
const detailOf = (outcome: IdentityOutcome): string =>
  [
    `${counted(outcome.records, 'record')} are ${counted(outcome.persons, 'person')}`,
    ...(outcome.merged > 0 ? [`${outcome.merged} merged`] : []),
    ...(outcome.split > 0 ? [`${outcome.split} split`] : []),
    ...(outcome.retired > 0 ? [`${outcome.retired} retired`] : []),
    ...(outcome.newlyBlocked > 0 ? [`${counted(outcome.newlyBlocked, 'value')} newly blocked`] : []),
    ...(outcome.refusedLinks > 0 ? [`${counted(outcome.refusedLinks, 'link')} refused`] : []),
  ].join('; ')

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
