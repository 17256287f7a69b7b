// Time as an input: the engine never reads the clock directly, so that a test can hold it and a run has one instant.

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Resolves after `ms`, or rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((done, fail) => {
      if (signal?.aborted) {
        fail(signal.reason as Error)
        return
      }
      const stop = (): void => {
        clearTimeout(timer)
        fail(signal?.reason as Error)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop)
        done()
      }, ms)
      signal?.addEventListener('abort', stop, { once: true })
    }),
}

/** `90s`, `15m`, `2h`, `3d`, `250ms` -> milliseconds; undefined when it is no duration. */
export const parseDuration = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/.exec(text.trim())
  if (!match) return undefined
  const unit = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 }[match[2] as 'ms' | 's' | 'm' | 'h' | 'd']
  return Math.round(Number(match[1]) * unit)
}

/** Milliseconds as a person reads them: `0.4 s`, `1 min 05 s`. */
export const formatDuration = (ms: number): string => {
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`
}
