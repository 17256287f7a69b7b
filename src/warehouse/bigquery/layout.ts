// How the engine's relations lie in storage: clustered by their key, and the logs that only grow partitioned by day.
import { engineRelations, type EngineRelationName } from '../relations.ts'
import { columnType } from '../statements.ts'
import { quote } from './text.ts'

const days: Readonly<Partial<Record<EngineRelationName, string>>> = {
  quarantine: 'quarantined_at',
  sync_log: 'happened_at',
  sync_journal: 'written_at',
}

const clusterable = /^(?:text|integer|boolean|date|timestamp|decimal.*)$/
const mostClusters = 4

/** ``partition by timestamp_trunc(`happened_at`, day) cluster by `sync`, `epoch` ``. */
export const layoutOf = (name: EngineRelationName): string => {
  const { key, columns } = engineRelations[name]
  const types: Readonly<Record<string, string>> = columns
  const day = days[name]
  const clusters = key.filter((column) => clusterable.test(columnType(types[column] ?? ''))).slice(0, mostClusters)
  return [
    ...(day === undefined ? [] : [`partition by timestamp_trunc(${quote(day)}, day)`]),
    ...(clusters.length > 0 ? [`cluster by ${clusters.map(quote).join(', ')}`] : []),
  ].join(' ')
}
