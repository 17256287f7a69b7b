// Which work a statement belongs to, for engines that name and label what they execute.
import { AsyncLocalStorage } from 'node:async_hooks'

export interface Step {
  /** As in cdp.runs. */
  readonly run: string
  /** As in cdp.run_steps. */
  readonly step: string
  /** What its statements have cost, added up as they end, where the engine tells. */
  readonly meter?: Meter
  /** The most that one of its statements may be billed for, in bytes, as digits; the warehouse's own limit holds too. */
  readonly maximumBytesBilled?: string
  /** Also when the run was interrupted: what it did must be written down. */
  readonly anyway?: boolean
}

export interface Meter {
  statements: number
  billedBytes: number
}

const context = new AsyncLocalStorage<Step>()

/** Everything that `work` executes belongs to this step. */
export const inStep = <T>(step: Step, work: () => Promise<T>): Promise<T> => context.run(step, work)

export const currentStep = (): Step | undefined => context.getStore()
