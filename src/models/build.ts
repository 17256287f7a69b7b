// Builds one model: its kind knows how.
import { loadKind } from './kinds/kinds.ts'
import type { BuildContext, BuildResult, CompiledModel } from './model.ts'

/** A build that fails leaves the last good relation in place. */
export const buildModel = async (model: CompiledModel, context: BuildContext): Promise<BuildResult> =>
  (await loadKind(model.kind)).build(model, context)
