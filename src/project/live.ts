// The parts of a project that are code: destinations, and sources that are read in pages. Of a project that was compiled before they are
// loaded without a look at its models, which is most of what loading costs.
import { hasBrand } from '../core/brand.ts'
import { CdpError, Problems } from '../core/errors.ts'
import type { PagesRead, Source } from '../ingest/source.ts'
import type { SyncDefinition } from '../sync/define-sync.ts'
import type { Destination } from '../sync/destination.ts'
import { readCode } from './code.ts'
import type { CompiledProject } from './compiled.ts'
import type { ProjectDefinition } from './define-project.ts'
import { importCode } from './import-code.ts'
import { collectInputs } from './inputs.ts'

export const configFile = 'cdp.config.ts'

export interface LiveProject {
  pages(streamId: string): PagesRead
  destination(syncId: string): Destination
}

export const liveOf = (
  sources: Readonly<Record<string, Source>>,
  destinations: ReadonlyMap<string, Destination>,
): LiveProject => ({
  pages: (id) => {
    const [source = '', stream = ''] = id.split('.')
    const from = sources[source]?.streams[stream]?.from
    if (from?.kind !== 'pages') throw new CdpError('INTERNAL', { detail: `stream ${id} has no pages` })
    return from
  },
  destination: (id) => {
    const found = destinations.get(id)
    if (found === undefined) throw new CdpError('INTERNAL', { detail: `there is no sync ${id}` })
    return found
  },
})

/** The code of a project that a good cache gave. Throws Problems for files that cannot be loaded any more. */
export const loadLive = async (project: CompiledProject): Promise<LiveProject> => {
  const { root, syncs } = project
  const files = [configFile, ...new Set(syncs.map((sync) => sync.file))]
  const { exports, problems } = await importCode(root, files, readCode(root, files, collectInputs(root)))
  if (problems.length > 0) throw new Problems(problems)
  const config = exports.get(configFile)
  const destinations = syncs.flatMap(({ id, file }): [string, Destination][] => {
    const sync = exports.get(file)
    return isSync(sync) ? [[id, sync.to]] : []
  })
  return liveOf(isProject(config) ? config.sources : {}, new Map(destinations))
}

const isProject = (value: unknown): value is ProjectDefinition => hasBrand('project', value)

const isSync = (value: unknown): value is SyncDefinition => hasBrand('sync', value)
