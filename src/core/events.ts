// What a run tells while it works. Stages yield events; only the command line turns them into text.

/** How a step ended. `unchanged`: nothing it reads changed, no statement was executed. `skipped`: something it needs failed. */
export type StepStatus = 'done' | 'unchanged' | 'skipped' | 'failed' | 'warned'

export type RunEvent =
  | { readonly type: 'step-started'; readonly step: string; readonly kind: string }
  | {
      readonly type: 'progress'
      readonly step: string
      readonly done: number
      readonly total?: number
      /** What is counted: `rows`, `files`, `bytes`. */
      readonly unit: string
      readonly note?: string
    }
  | {
      readonly type: 'step-finished'
      readonly step: string
      readonly kind: string
      readonly status: StepStatus
      readonly ms: number
      readonly rows?: number
      readonly detail?: string
      readonly error?: unknown
    }
  | { readonly type: 'warning'; readonly step?: string; readonly message: string; readonly hint?: string }

export type Emit = (event: RunEvent) => void
