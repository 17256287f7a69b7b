// `kind: profile`: the records of an identity model become one row a person. The work is done in identity/profile; here is what the
// header may say, and what it takes over from the identity model that `of` names.
import { CdpError, type Place } from '../../core/errors.ts'
import { describeRule, isAggregate, mostPreferred, needsTime } from '../../identity/profile/rules.ts'
import {
  aggregates,
  type IdentitySettings,
  picks,
  type ProfileSettings,
  type TraitRule,
} from '../../identity/settings.ts'
import type { Column } from '../../warehouse/warehouse.ts'
import { contentOf } from '../content.ts'
import { render, type Kind, type NamedHeader } from '../model.ts'
import { modelName, replaceRelation } from './replace.ts'

export const profile: Kind<ProfileSettings> = {
  kind: 'profile',
  header: (z) => {
    // A word is short for `{ pick: word }`; turned into it first, so that a wrong word is told with the ones there are.
    const rule = z.preprocess(
      (given) => (typeof given === 'string' ? { pick: given } : given),
      z.strictObject({
        pick: z.enum([...picks, ...aggregates]),
        prefer: z.array(z.string()).max(mostPreferred).default([]),
        from: z.string().optional(),
        by: z.string().optional(),
      }),
    )
    return z.object({
      of: z.string(),
      traits: z
        .record(z.string(), rule)
        .refine((traits) => !Object.keys(traits).some((name) => name.toLowerCase() === 'person_id'), {
          message: 'must not name person_id, which every profile has',
        }),
    })
  },
  needs: ({ of }) => [of],
  resolve: (header, find, place) => {
    const found = find(header.of)
    if (!isIdentity(found)) {
      const why = found === undefined ? 'is no model' : `is a ${found.kind}`
      throw new CdpError('PROFILE_OF', { of: header.of, why }, { place })
    }
    const { record, seen_at } = found.header
    checkRules(header, seen_at, place)
    return { ...header, record, seen_at }
  },
  requires: ({ record, traits, seen_at }) => [
    'person_id',
    ...record,
    ...Object.entries(traits).flatMap(([name, rule]) => [
      ...(rule.pick === 'count' ? [] : [name]).map((own) => rule.from ?? own),
      ...(rule.pick === 'count' && rule.from !== undefined ? [rule.from] : []),
      ...(needsTime(rule.pick) && (rule.by ?? seen_at) !== undefined ? [rule.by ?? seen_at ?? ''] : []),
    ]),
  ],
  columns: ({ traits }, select) => [
    ...select.filter((column) => column.name.toLowerCase() === 'person_id'),
    ...Object.entries(traits).map(([name, rule]) => ({ name, type: typeOfTrait(name, rule, select) })),
  ],
  build: async (model, { warehouse, instant }) => {
    const { buildProfile } = await import('../../identity/profile/build.ts')
    const { persons } = await buildProfile({
      warehouse,
      profile: model.name,
      select: render(model.sql, warehouse, instant),
      settings: model.header,
      place: { file: model.file },
      publish: (select) => replaceRelation(warehouse, model.name, 'table', select),
    })
    const content = await contentOf(warehouse, modelName(model.name))
    return { rows: persons, content: content.text }
  },
}

const isIdentity = (found: NamedHeader | undefined): found is NamedHeader & { readonly header: IdentitySettings } =>
  found?.kind === 'identity'

const checkRules = (header: ProfileSettings, seenAt: string | undefined, place: Place): void => {
  for (const [trait, rule] of Object.entries(header.traits)) {
    const fail = (problem: string): never => {
      throw new CdpError('PROFILE_RULE', { trait, problem }, { place })
    }
    if (isAggregate(rule.pick) && rule.prefer.length > 0)
      fail(`is computed over all records, so \`prefer\` means nothing`)
    if (needsTime(rule.pick) && (rule.by ?? seenAt) === undefined) {
      fail(`is \`${describeRule(rule)}\`, and neither has ${header.of} a \`seen_at\` nor the rule a \`by\``)
    }
  }
}

// Types in the engine's words; for sums a guess that is good enough to prepare what reads the profile.
const typeOfTrait = (name: string, rule: TraitRule, select: readonly Column[]): string => {
  if (rule.pick === 'count') return 'BIGINT'
  const from = (rule.from ?? name).toLowerCase()
  const type = select.find((column) => column.name.toLowerCase() === from)?.type ?? 'STRING'
  if (rule.pick === 'avg') return 'DOUBLE'
  if (rule.pick === 'sum')
    return /^DECIMAL\(\d+,\s*(\d+)\)$/.test(type)
      ? type.replace(/\(\d+/, '(38')
      : /INT/.test(type)
        ? 'BIGINT'
        : 'DOUBLE'
  return rule.pick === 'list' || rule.pick === 'set' ? `${type}[]` : type
}
