// Which requests of a project fail, and in which way: every stage meets every fault at every place that it has. Nothing is left to chance,
// and nothing fails for ever.
import type { Fault, Hook, Seen } from './proxy.ts'

/** What a job is for the stage that sends it. */
export type Place =
  | 'query'
  | 'change'
  | 'table'
  | 'copy'
  | 'load'
  | 'script'
  | 'dry run'
  | 'begin'
  | 'in transaction'
  | 'commit'
  | 'end'

export interface Plan {
  readonly hook: Hook
  /** The next day begins: what fails once a day may fail again. */
  nextDay(): void
  /** How often each fault was met, by `stage: place: fault`. */
  readonly met: ReadonlyMap<string, number>
}

const stages: Readonly<Record<string, string>> = {
  shop_customers: 'landing',
  shop_newsletter: 'landing',
  till_receipts: 'landing',
  people: 'identity',
  profiles: 'profile',
  spending: 'table',
  payments: 'incremental',
  spenders: 'segment',
  'readers-to-file': 'file sync',
  'spenders-to-webhook': 'webhook sync',
}

/** Of a step; what opens a warehouse and writes down the run is a stage too, as are the two views. */
const stageOf = (step: string | undefined): string => stages[step ?? ''] ?? 'other'

interface QueryBody {
  readonly configuration?: { readonly query?: { readonly connectionProperties?: readonly unknown[] } }
}

const words: readonly (readonly [RegExp, Place])[] = [
  [/^begin transaction/, 'begin'],
  [/^commit transaction/, 'commit'],
  [/^(?:rollback|call)\b/, 'end'],
  [/;\s*\S/, 'script'],
  [/^create or replace table \S+ copy\b/, 'copy'],
  [/^(?:create|drop|alter)\b/, 'table'],
  [/^(?:select|with)\b/, 'query'],
]

export const placeOf = ({ job, upload, body }: Seen): Place | undefined => {
  if (!job) return undefined
  if (job.dryRun) return 'dry run'
  if (upload) return 'load'
  const { connectionProperties = [] } = (body as QueryBody).configuration?.query ?? {}
  const found = words.find(([pattern]) => pattern.test(job.query ?? ''))?.[1] ?? 'change'
  return connectionProperties.length > 0 && found !== 'commit' && found !== 'end' ? 'in transaction' : found
}

export const nameOf = (fault: Fault): string =>
  typeof fault === 'string' ? fault : `${fault.status} ${fault.reason ?? ''}`

const refused: readonly Fault[] = [
  'cut',
  { status: 503, reason: 'backendError' },
  'lost',
  { status: 429, reason: 'rateLimitExceeded' },
  { status: 403, reason: 'rateLimitExceeded' },
]

/** What every request can meet, by name. */
export const refusals = refused.map(nameOf)

const counter = (): ((key: string) => number) => {
  const counts = new Map<string, number>()
  return (key) => {
    const count = counts.get(key) ?? 0
    counts.set(key, count + 1)
    return count
  }
}

const seedOf = (text: string): number => [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9973, 7)

const from = <T>(list: readonly T[], at: number): readonly T[] => [
  ...list.slice(at % list.length),
  ...list.slice(0, at % list.length),
]

/**
 * Each day the first job of each place of each step meets all faults, one after the other, in an order of its own; of the others every third
 * meets one. So does every fifth request that is no job: for results, states and columns.
 */
export const refusing = (): Plan => {
  const met = new Map<string, number>()
  const waiting = new Map<string, Fault[]>()
  const stageOfJob = new Map<string, string>()
  let nth = counter()
  const others = counter()
  let day = 1

  const faultsOf = (step: string, place: Place): readonly Fault[] => {
    const at = nth(`${step} ${place}`)
    const all = place === 'load' ? [...refused, 'torn' as const] : refused
    const order = from(all, seedOf(`${step} ${place}`) + day + at)
    if (at === 0) return order
    return at % 3 === 0 ? order.slice(0, 1) : []
  }

  const hook: Hook = (seen) => {
    const place = placeOf(seen)
    const { job, path } = seen
    if (!job || place === undefined) {
      const kind = path.split('/')[1] ?? ''
      const at = others(kind)
      if (at % 5 !== 0) return undefined
      const fault = refused[(at / 5) % refused.length]
      return tell(met, stageOfJob.get(path.split('/')[2] ?? '') ?? 'other', kind, fault)
    }
    const step = job.labels['cdp_step'] ?? 'other'
    stageOfJob.set(job.id, stageOf(step))
    // A dry run has no id: it is known by its text.
    const key = job.dryRun ? `dry ${step} ${job.query ?? ''}` : job.id
    const left = waiting.get(key) ?? [...faultsOf(step, place)]
    waiting.set(key, left)
    return tell(met, stageOf(step), place, left.shift())
  }
  return {
    hook,
    met,
    nextDay: () => {
      day += 1
      nth = counter()
    },
  }
}

/**
 * Each day one job of each place of each step ends with an error. Outside of transactions it is done anew. In one, it takes the step with it: so
 * each step loses a statement one day and a commit the other, at its first and at a later turn, counted over the runs that it takes.
 */
export const ending = (): Plan => {
  const met = new Map<string, number>()
  const seen = new Set<string>()
  let nth = counter()
  let day = 1

  const fails = (step: string, place: Place, at: number): boolean => {
    const losesCommit = (seedOf(step) + day) % 2 === 0
    // Its first day has no transaction.
    const both = stageOf(step) === 'incremental'
    if (place === 'commit') return (both || losesCommit) && (at === 0 || at === 2)
    if (place === 'in transaction') return (both || !losesCommit) && (at === 1 || at === 9)
    if (place === 'begin') return day === 1 && seedOf(step) % 3 === 0 && at === 0
    return at === 0
  }

  const hook: Hook = (one) => {
    const place = placeOf(one)
    const { job } = one
    if (!job || place === undefined || place === 'dry run' || place === 'end' || seen.has(job.id)) return undefined
    seen.add(job.id)
    const step = job.labels['cdp_step'] ?? 'other'
    return fails(step, place, nth(`${step} ${place}`)) ? tell(met, stageOf(step), place, 'job fails') : undefined
  }
  return {
    hook,
    met,
    nextDay: () => {
      day += 1
      nth = counter()
    },
  }
}

const tell = (met: Map<string, number>, stage: string, place: string, fault: Fault | undefined): Fault | undefined => {
  if (fault === undefined) return undefined
  const key = `${stage}: ${place}: ${nameOf(fault)}`
  met.set(key, (met.get(key) ?? 0) + 1)
  return fault
}
