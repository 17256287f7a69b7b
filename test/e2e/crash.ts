// Ends a real process by SIGKILL at a point that does not depend on time: before or after its nth lasting effect of a kind.
export interface Crash {
  /** `sql`: a statement; `disk`: bytes are made to last, or a file is renamed, linked, cut or removed. */
  readonly effect: 'sql' | 'disk'
  /** Of the statement's text, or of `<call> <path>`. */
  readonly match: RegExp
  readonly when: 'before' | 'after'
  /** Counted from 1; default 1. */
  readonly nth?: number
}

const preload = new URL('crash-preload.mjs', import.meta.url).href

/** The environment in which a process dies there. */
export const crashEnv = ({ effect, match, when, nth = 1 }: Crash): Record<string, string> => ({
  NODE_OPTIONS: `--import ${preload}`,
  CDP_TEST_CRASH: JSON.stringify({ effect, match: match.source, flags: match.flags, when, nth }),
})
