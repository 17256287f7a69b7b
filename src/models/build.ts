// Builds one model: its kind knows how.
import { CdpError, hasCode } from '../core/errors.ts'
import { loadKind } from './kinds/kinds.ts'
import { render, type BuildContext, type BuildResult, type CompiledModel } from './model.ts'

/** A build that fails leaves the last good relation in place; what the engine refuses is shown at its place in the model's file. */
export const buildModel = async (model: CompiledModel, context: BuildContext): Promise<BuildResult> => {
  try {
    return await (await loadKind(model.kind)).build(model, context)
  } catch (thrown) {
    throw hasCode(thrown, 'QUERY_FAILED') ? await placed(model, context, thrown) : thrown
  }
}

// What is only asked for has no job; the statement that was refused first has one, and its console shows more.
const withJob = (refusal: unknown, { args }: CdpError<'QUERY_FAILED'>): unknown => {
  const job = /\bjob [^\s()]+/.exec(args.reason)?.[0]
  if (job === undefined || !hasCode(refusal, 'QUERY_FAILED') || refusal.args.reason.includes(job)) return refusal
  const reason = refusal.args.reason.replace(/\)$/, '')
  return new CdpError('QUERY_FAILED', {
    ...refusal.args,
    reason: reason === refusal.args.reason ? `${reason} (${job})` : `${reason}, ${job})`,
  })
}

// The kind's statement is longer than the analyst's: the engine is asked again about the SELECT alone, whose places are theirs.
const placed = async (
  model: CompiledModel,
  context: BuildContext,
  thrown: CdpError<'QUERY_FAILED'>,
): Promise<CdpError> => {
  const { refused } = await import('./check.ts')
  const { warehouse, instant } = context
  try {
    await warehouse.describe(render(model.sql, warehouse, instant))
  } catch (refusal) {
    return refused(model, warehouse, instant, withJob(refusal, thrown))
  }
  // It went wrong at a row, which has no place in the text.
  const reason = thrown.args.reason.replace(/\.$/, '')
  return new CdpError(
    'MODEL_FAILED',
    { model: model.name, reason },
    { place: { file: model.file, line: model.sqlLine }, cause: thrown },
  )
}
