// The order of models: each after what it reads, and after what its tests read where that makes no circle.
import { CdpError, formatPlace, hasCode, type Place } from '../core/errors.ts'
import { topological } from '../core/graph.ts'

/** A model's edges: what it reads -> where it says so; and what only its tests read. */
export interface Edges {
  readonly reads: ReadonlyMap<string, Place>
  readonly tests: ReadonlySet<string>
}

export interface Order {
  readonly names: readonly string[]
  readonly problems: readonly CdpError[]
}

/** Every circle is a problem of its own; the order then leaves the edge out that closes it. */
export const orderOf = (models: ReadonlyMap<string, Edges>): Order => {
  const problems: CdpError[] = []
  const graph = new Map<string, string[]>()
  for (const [name, { reads }] of models)
    graph.set(
      name,
      [...reads.keys()].filter((read) => models.has(read)),
    )
  for (let path = circleIn(graph); path !== undefined; path = circleIn(graph)) {
    const edges = path.slice(1).map((to, at) => models.get(path?.[at] ?? '')?.reads.get(to))
    const places = edges.filter((place) => place !== undefined)
    problems.push(
      new CdpError('MODEL_CYCLE', { path, places: places.map(formatPlace) }, places[0] ? { place: places[0] } : {}),
    )
    const [from, to] = path.slice(-2)
    graph.set(
      from ?? '',
      (graph.get(from ?? '') ?? []).filter((read) => read !== to),
    )
  }
  for (const [name, { tests }] of models) {
    for (const read of tests) {
      if (!models.has(read) || read === name) continue
      const before = graph.get(name) ?? []
      graph.set(name, [...before, read])
      if (circleIn(graph) !== undefined) graph.set(name, before)
    }
  }
  return { names: topological(graph), problems }
}

const circleIn = (graph: ReadonlyMap<string, readonly string[]>): string[] | undefined => {
  try {
    topological(graph)
    return undefined
  } catch (thrown) {
    if (hasCode(thrown, 'GRAPH_CYCLE')) return [...thrown.args.path]
    throw thrown
  }
}
