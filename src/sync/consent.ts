// Whether consent can be relied on at all. Where it cannot, a sync with a purpose sends nothing, removals included.
import type { Warehouse } from '../warehouse/warehouse.ts'
import type { SyncInput } from './spec.ts'
import type { SyncWorld } from './state.ts'

/** Why consent is in doubt, or undefined. `instant` is ISO. */
export const consentDoubt = async (
  warehouse: Warehouse,
  input: SyncInput,
  world: SyncWorld,
  instant: string,
): Promise<string | undefined> => {
  const { spec, consent, consentFreshnessMs } = input
  if (spec.purpose === undefined || consent === undefined) return undefined
  const version = world.versions.get(consent)
  if (!(await warehouse.relations('models')).some((relation) => relation.name === consent)) {
    return `consent is in doubt: ${consent} is not built`
  }
  if (version?.status === 'failed')
    return `consent is in doubt: the last build of ${consent}, or one of its tests, failed`
  if (consentFreshnessMs !== undefined && isOlder(version?.built_at, instant, consentFreshnessMs)) {
    return `consent is in doubt: ${consent} is older than it may be`
  }
  const [rows] = await warehouse.all<{ found: number; persons: number }>({
    sql: `select count(c.person_id) as found, count(distinct c.person_id) as persons
      from ${warehouse.name({ schema: 'models', name: consent })} as c where c.purpose = $1`,
    parameters: [spec.purpose],
  })
  if (rows === undefined || rows.found === 0) return `consent is in doubt: ${consent} has no row for ${spec.purpose}`
  if (rows.found > rows.persons) {
    return `consent is in doubt: ${consent} has more than one row for a person and ${spec.purpose}`
  }
  return undefined
}

/** Whether something built then is too old at an instant; what was never built is not judged here. */
export const isOlder = (builtAt: string | undefined, instant: string, freshnessMs: number): boolean =>
  builtAt !== undefined && Date.parse(instant) - Date.parse(builtAt) > freshnessMs
