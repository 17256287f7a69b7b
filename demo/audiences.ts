// Is what the vendors hold what the segments say? Both sides are asked on their own: the vendors' stand-ins over HTTP and the file as it
// lies there, the segments by a SELECT that knows nothing of the sync engine.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Shell } from './shell.ts'

export interface Audience {
  readonly sync: string
  readonly segment: string
  readonly wanted: number
  readonly held: number
  /** Keys that are on one side alone. */
  readonly missing: readonly string[]
  readonly surplus: readonly string[]
}

interface Place {
  readonly sync: string
  readonly segment: string
  readonly key: 'email' | 'phone'
  readonly purpose: string
  held(): Promise<Set<string>>
}

const json = async <T>(url: string): Promise<T> => (await (await fetch(url)).json()) as T

interface Portal {
  readonly contacts: readonly { readonly id: string; readonly email?: string }[]
  readonly lists: readonly { readonly name: string; readonly members: readonly string[] }[]
}

const places = (sandbox: string, folder: string): readonly Place[] => {
  const portal = (): Promise<Portal> => json<Portal>(`${sandbox}/_sandbox/hubspot`)
  return [
    {
      sync: 'vip-at-risk-to-hubspot',
      segment: 'vip_at_risk',
      key: 'email',
      purpose: 'marketing.email',
      async held() {
        const { contacts, lists } = await portal()
        const address = new Map(contacts.map((contact) => [contact.id, contact.email ?? contact.id]))
        const members = lists.find((list) => list.name === 'VIP at risk')?.members ?? []
        return new Set(members.map((id) => address.get(id) ?? id))
      },
    },
    {
      sync: 'abandoned-cart-to-webhook',
      segment: 'abandoned_cart',
      key: 'email',
      purpose: 'marketing.email',
      async held() {
        const { audiences } = await json<{ audiences: Record<string, Record<string, unknown>> }>(
          `${sandbox}/_sandbox/webhook`,
        )
        return new Set(Object.keys(audiences['abandoned-cart-to-webhook'] ?? {}))
      },
    },
    {
      sync: 'high-ltv-to-file',
      segment: 'high_ltv',
      key: 'phone',
      purpose: 'marketing.zalo',
      async held() {
        const lines = (await readFile(join(folder, '.cdp/lotus/out/high-ltv.csv'), 'utf8')).trimEnd().split('\n')
        return new Set(lines.slice(1).map((line) => line.split(',', 1)[0] ?? ''))
      },
    },
  ]
}

// Who should be there: consent said yes, there is a key, it is theirs alone, and nobody who carries it said no.
const wantedSql = ({ segment, key, purpose }: Place): string => `
  select s.${key} as key
  from ${segment} s left join consent_current c on c.person_id = s.person_id and c.purpose = '${purpose}'
  where s.${key} is not null
  group by s.${key}
  having count(case when c.granted then 1 end) = 1 and count(case when not c.granted then 1 end) = 0`

/** One line a sync. */
export const compareAudiences = async (shell: Shell, sandbox: string, folder: string): Promise<readonly Audience[]> => {
  const audiences: Audience[] = []
  for (const place of places(sandbox, folder)) {
    const { rows } = await shell.cdp(['query', wantedSql(place)], { quiet: true })
    const wanted = new Set(rows.map((row) => String(row['key'])))
    const held = await place.held()
    audiences.push({
      sync: place.sync,
      segment: place.segment,
      wanted: wanted.size,
      held: held.size,
      missing: [...wanted].filter((key) => !held.has(key)),
      surplus: [...held].filter((key) => !wanted.has(key)),
    })
  }
  return audiences
}
