// What the statements of a run are billed for, step by step, and the limits they are held to. Engines that bill nothing count nothing.
import { inStep, type Meter, type Step } from '../warehouse/step.ts'

export interface Spending {
  /** Runs a step; what its statements cost goes to `meter`. `limit`: bytes that one of them may be billed for. */
  step<T>(
    step: { readonly name: string; readonly meter: Meter; readonly limit?: number },
    work: () => Promise<T>,
  ): Promise<T>
}

export const newMeter = (): Meter => ({ statements: 0, billedBytes: 0 })

/** As run_steps keeps it: null where nothing was counted. */
export const metered = ({
  statements,
  billedBytes,
}: Meter): { statements: number | null; bytes_billed: number | null } =>
  statements === 0 ? { statements: null, bytes_billed: null } : { statements, bytes_billed: billedBytes }

/** `budget`: bytes that all steps together may be billed for. A statement may cost what is left of it when it is sent. */
export const createSpending = (run: string, budget?: number): Spending => {
  let spent = 0
  return {
    step: async ({ name, meter, limit }, work) => {
      const allowed = (): number =>
        Math.min(limit ?? Infinity, budget === undefined ? Infinity : budget - spent - meter.billedBytes)
      const step: Step = { run, step: name, meter }
      // No limit of zero: the service takes that for none.
      const limited: Step =
        allowed() === Infinity
          ? step
          : {
              ...step,
              get maximumBytesBilled() {
                return String(Math.max(1, allowed()))
              },
            }
      try {
        return await inStep(limited, work)
      } finally {
        spent += meter.billedBytes
      }
    },
  }
}
