// Streams of a project as plain data, and what is wrong between them.
import { CdpError } from '../core/errors.ts'
import { secretsIn } from '../core/secret.ts'
import type { Source, Stream } from '../ingest/source.ts'
import type { CompiledStream } from './compiled.ts'
import { placeOfPath } from './places.ts'

export const compileStreams = (
  sources: Readonly<Record<string, Source>>,
  config: { readonly file: string; readonly text: string },
): { streams: readonly CompiledStream[]; problems: readonly CdpError[] } => {
  const problems: CdpError[] = []
  const streams: CompiledStream[] = []
  for (const [source, { streams: all }] of Object.entries(sources)) {
    for (const [name, stream] of Object.entries(all)) {
      const compiled = compileStream(source, name, stream)
      const same = streams.find((other) => other.relation === compiled.relation)
      if (same !== undefined) {
        const reason = `streams ${same.id} and ${compiled.id} would both land in raw.${compiled.relation}. Rename one of them.`
        const place = placeOfPath(config.file, config.text, ['sources', source, 'streams', name])
        problems.push(new CdpError('CONFIG_INVALID', { where: config.file, reason }, { place }))
      }
      streams.push(compiled)
    }
  }
  return { streams, problems }
}

const compileStream = (source: string, name: string, { from, ...settings }: Stream): CompiledStream => ({
  ...settings,
  id: `${source}.${name}`,
  relation: `${source}_${name}`,
  from: from.kind === 'scan' ? from : { kind: 'pages' },
  secrets: secretsIn(from.kind === 'scan' ? from.path : [...(from.settings ?? [])]),
})
