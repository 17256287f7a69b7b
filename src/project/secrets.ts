// Which environment variables a step would miss, so that all of them are named before it starts.
import { missing, secretsIn } from '../core/secret.ts'
import type { CompiledProject } from './compiled.ts'

export interface SecretsOf {
  readonly warehouse?: boolean
  /** Ids of streams: `shop.customers`. */
  readonly streams?: Iterable<string>
  readonly syncs?: Iterable<string>
}

/** Names of variables that are not set and have no fallback, each once. */
export const missingSecrets = (project: CompiledProject, what: SecretsOf): string[] => {
  const [streams, syncs] = [new Set(what.streams), new Set(what.syncs)]
  return missing([
    ...(what.warehouse === true ? secretsIn(project.warehouse.settings) : []),
    ...project.streams.filter((stream) => streams.has(stream.id)).flatMap((stream) => stream.secrets),
    ...project.syncs.filter((sync) => syncs.has(sync.id)).flatMap((sync) => sync.secrets),
  ])
}
