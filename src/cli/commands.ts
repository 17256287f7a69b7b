// The commands: a name, a line of help, and the file that does it, loaded only when asked for.
import type { Command } from 'commander'
import type { GlobalOptions } from './context.ts'

/** Registers options and an action; `act` runs the work with the global options and keeps its exit code. */
export type Act = (work: (globals: GlobalOptions) => Promise<number>) => Promise<void>

export interface CommandModule {
  readonly define: (command: Command, act: Act) => void
}

export interface CommandEntry {
  readonly summary: string
  readonly load: () => Promise<CommandModule>
}

export const commands: Readonly<Record<string, CommandEntry>> = {
  init: { summary: 'write a small working project', load: () => import('./commands/init.ts') },
  check: {
    summary: 'find every problem in config, models and syncs; change nothing',
    load: () => import('./commands/check.ts'),
  },
  plan: { summary: 'show what run and sync would do; change nothing', load: () => import('./commands/plan.ts') },
  run: { summary: 'land what is new, build what that changes, test it', load: () => import('./commands/run.ts') },
  sync: { summary: 'send what changed to the destinations', load: () => import('./commands/sync.ts') },
  status: { summary: 'the last run, every sync and what is wrong', load: () => import('./commands/status.ts') },
  query: { summary: 'a SELECT over the warehouse', load: () => import('./commands/query.ts') },
  explain: {
    summary: 'why a person, a row of a sync or a model is as it is',
    load: () => import('./commands/explain.ts'),
  },
  test: { summary: "run the models' tests", load: () => import('./commands/test.ts') },
  pull: {
    summary: 'copy a slice of another warehouse into the local one, to develop on',
    load: () => import('./commands/pull.ts'),
  },
  replay: { summary: 'try quarantined rows again', load: () => import('./commands/replay.ts') },
  sandbox: {
    summary: 'local stand-ins of the vendors, to try a sync without credentials',
    load: () => import('./commands/sandbox.ts'),
  },
  state: {
    summary: 'save or restore what only the warehouse knows: ids, ledger, cursors',
    load: () => import('./commands/state.ts'),
  },
  start: { summary: 'run the schedule until stopped', load: () => import('./commands/start.ts') },
}
