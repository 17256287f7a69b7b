// The records of persons that the benches of identity build: a company of a third as many people with a long tail of records; some share an
// address or a phone in a household, one in two thousand records has a cashier's phone, one in three hundred a junk value.
import type { IdentitySettings } from '../../src/identity/settings.ts'

/** SQL of DuckDB: records `from` to `to` of `people`. */
export const recordsOfPeople = (from: number, to: number, people: number): string => `
select 'source' || (i % 4) as source, cast(i as varchar) as record_id,
  case when hash(i, 1) % 10 < 5 then 'user' || person || case when hash(i, 2) % 10 = 0 then '.old' else '' end || '@mail' || (person % 50) || '.vn'
       when hash(i, 3) % 300 = 0 then 'test@test.com' end as email,
  case when hash(i, 4) % 2000 = 0 then '+84900000001'
       when hash(i, 4) % 10 < 5 then '+849' || lpad(cast(case when person % 10 = 0 then person // 30 * 30 else person end as varchar), 8, '0') end as phone,
  case when hash(i, 5) % 10 < 3 then md5(cast(person as varchar) || '-' || cast(hash(i, 6) % 3 as varchar)) end as anonymous_id,
  'Name ' || (person % 9973) || case when hash(i, 7) % 5 = 0 then ' X' else ' Y' end as full_name,
  case when hash(i, 8) % 3 = 0 then 'City ' || (person % 63) end as city,
  make_timestamptz(1700000000000000 + cast(i as bigint) * 1000000) as updated_at
from (select i, cast(floor(pow((hash(i, 0) % 1000003) / 1000003.0, 1.5) * ${people}) as bigint) as person from range(${from}, ${to}) t(i))`

export const peopleSettings: IdentitySettings = {
  record: ['source', 'record_id'],
  seen_at: 'updated_at',
  names: ['full_name'],
  identifiers: { email: { max_shared_by: 50 }, phone: { max_shared_by: 50 }, anonymous_id: {} },
  junk: [],
}
