// `cdp test`: the models' tests over what is built, without building anything.
import type { Emit } from '../core/events.ts'
import type { CompiledProject } from '../project/compiled.ts'
import { runTests } from '../models/tests.ts'
import type { BuildContext, Severity } from '../models/model.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'

export interface TestResult {
  readonly model: string
  readonly test: string
  readonly severity: Severity
  /** Failing rows; 0 is a pass. */
  readonly rows: number
}

export interface TestOptions {
  readonly project: CompiledProject
  readonly openWarehouse: (mode: 'read' | 'write') => Promise<Warehouse>
  readonly runId: string
  readonly instant: string
  readonly emit: Emit
  readonly selected: ReadonlySet<string> | undefined
}

/** Runs the tests of every selected model that is built, and says how each came out. */
export const performTests = async (options: TestOptions): Promise<readonly TestResult[]> => {
  const { project } = options
  const warehouse = await options.openWarehouse('write')
  try {
    const built = new Set((await warehouse.relations('models')).map((relation) => relation.name))
    const results: TestResult[] = []
    const context: BuildContext = {
      warehouse,
      runId: options.runId,
      instant: options.instant,
      timeZone: project.timeZone,
      region: project.region,
      emit: options.emit,
      fullRefresh: false,
      allow: new Set(),
    }
    for (const model of project.models) {
      if (options.selected?.has(model.name) === false || model.tests.length === 0) continue
      if (!built.has(model.name)) {
        options.emit({
          type: 'warning',
          step: model.name,
          message: 'not built yet, so not tested',
          hint: 'Run: cdp run',
        })
        continue
      }
      const failures = new Map((await runTests(model, context)).map((failure) => [failure.test, failure.rows]))
      for (const test of model.tests) {
        results.push({
          model: model.name,
          test: test.name,
          severity: test.severity,
          rows: failures.get(test.name) ?? 0,
        })
      }
    }
    return results
  } finally {
    await warehouse.close()
  }
}
