// Which requests of a project fail, and in which way: every stage meets every fault at every place that it has. Nothing is left to chance,
// and nothing fails for ever.
import { isScript, tokensOf } from '../../src/warehouse/bigquery/lexer.ts'
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
  [/^create or replace table \S+ copy\b/, 'copy'],
  [/^(?:create|drop|alter)\b/, 'table'],
  [/^(?:select|with)\b/, 'query'],
]

export const placeOf = ({ job, upload, body }: Seen): Place | undefined => {
  if (!job) return undefined
  if (job.dryRun) return 'dry run'
  if (upload) return 'load'
  const { connectionProperties = [] } = (body as QueryBody).configuration?.query ?? {}
  const query = job.query ?? ''
  const found = words.find(([pattern]) => pattern.test(query))?.[1] ?? 'change'
  if (found !== 'end' && isScript(tokensOf(query)) && found !== 'begin') return 'script'
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

/** The commit takes effect, and no answer comes however often it is asked for. */
const unknown: readonly Fault[] = [
  'lost',
  ...Array.from({ length: 6 }, () => ({ status: 503, reason: 'backendError' })),
]

/**
 * Each day the first job of each place of each step ends with an error. Outside of transactions it is done anew. In one, it takes the step with
 * it: so one day a step loses a statement of its transaction, and then the answer to its commit; on the other it loses a commit.
 * `nth`: of the place, counted over the runs that the day takes.
 */
const lossOf = (step: string, place: Place, day: number, nth: number): 'job fails' | 'unknown' | undefined => {
  const stage = stageOf(step)
  // Landing forgets what an earlier load left in a transaction of its own; a profile has one statement in its; no incremental model has one on its first day.
  const statement = { landing: 6, profile: 0 }[stage] ?? 1
  const losesCommit = (seedOf(step) + day) % 2 === 0
  const both = stage === 'incremental'
  if (place === 'in transaction') return (both || !losesCommit) && nth === statement ? 'job fails' : undefined
  if (place === 'commit') {
    if ((both || losesCommit) && nth === 0) return 'job fails'
    const answer = both || stage === 'landing' ? 1 : losesCommit ? 2 : 0
    return nth === answer ? 'unknown' : undefined
  }
  if (place === 'begin') return stage === 'webhook sync' && day === 1 && nth === 0 ? 'job fails' : undefined
  return place !== 'end' && place !== 'dry run' && nth === 0 ? 'job fails' : undefined
}

export const losing = (): Plan => {
  const met = new Map<string, number>()
  const waiting = new Map<string, Fault[]>()
  let nth = counter()
  let day = 1

  const hook: Hook = (seen) => {
    const place = placeOf(seen)
    const { job } = seen
    if (!job || place === undefined) return undefined
    const known = waiting.get(job.id)
    if (known) return known.shift()
    const step = job.labels['cdp_step'] ?? 'other'
    const loss = lossOf(step, place, day, nth(`${step} ${place}`))
    const faults = loss === 'unknown' ? [...unknown] : loss === undefined ? [] : [loss]
    waiting.set(job.id, faults)
    if (loss !== undefined) count(met, `${stageOf(step)}: ${place}: ${loss}`)
    return faults.shift()
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
  if (fault !== undefined) count(met, `${stage}: ${place}: ${nameOf(fault)}`)
  return fault
}

const count = (met: Map<string, number>, key: string): void => void met.set(key, (met.get(key) ?? 0) + 1)
