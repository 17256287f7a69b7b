// How patient a run is. Constants of the engine in one place; tests shorten them.
export interface Tuning {
  /** Tries of one row in one run, where the vendor does not say when. */
  readonly tries: number
  /** Before the second try; doubles, with jitter. */
  readonly backoffMs: number
  readonly maxBackoffMs: number
  /** Failures of everything, one after the other, until the destination counts as down. */
  readonly rounds: number
  /** The longest wait for a retry or a job in one run; what takes longer is left to the next. */
  readonly patienceMs: number
  /** Rows of state that may be on their way at once, by the journal. */
  readonly window: number
  /** Rows that wait for another try before no new ones are begun. */
  readonly retrying: number
  /** Rows whose jobs are asked for in this run. */
  readonly polled: number
  /** How often outcomes are folded during a long run. */
  readonly foldMs: number
}

export const tuning: Tuning = {
  tries: 5,
  backoffMs: 500,
  maxBackoffMs: 30_000,
  rounds: 5,
  patienceMs: 5 * 60_000,
  window: 1000,
  retrying: 1000,
  polled: 50_000,
  foldMs: 60_000,
}

/** Half of the full wait at least, so that retries of many do not meet. */
export const backoff = (attempt: number, { backoffMs, maxBackoffMs }: Tuning, random: () => number): number =>
  Math.round(Math.min(maxBackoffMs, backoffMs * 2 ** (attempt - 1)) * (0.5 + random() / 2))
