// Connected components in the warehouse by min-hook, pointer jumping and contraction: at most 2 log2(n) rounds whatever the graph looks like.
// In each round every vertex hooks to its smallest neighbour, the trees are flattened, and each becomes one vertex of the next, smaller graph.
// What is left when it fits in memory is finished there: on a small graph a round costs more than a whole union-find.
// Only MIN, LEAST, GREATEST and COALESCE, so that every engine runs it.
import { unionFind } from './union-find.ts'
import type { Work } from './work.ts'

/** Edges up to which a graph is finished in memory: 16 MB, and faster than two rounds. */
export const memoryEdges = 2_000_000

export interface ComponentsResult {
  /** Rounds that were done in the warehouse. */
  readonly rounds: number
  /** Edges that were finished in memory. */
  readonly inMemory: number
}

/**
 * From work table `pairs` (a, b: a < b, each once) makes work table `result` (x, p) with the smallest id of each vertex's component,
 * for the vertices that have an edge. Ids are whole numbers from 0 to `maxId`.
 */
export const components = async (
  work: Work,
  pairs: string,
  result: string,
  maxId: number,
  inMemoryUpTo = memoryEdges,
): Promise<ComponentsResult> => {
  const maps: string[] = []
  let graph = pairs
  let edges = await work.count(pairs)
  while (edges > inMemoryUpTo) {
    const round = maps.length
    await hookAndFlatten(work, graph, `map_${round}`)
    maps.push(`map_${round}`)
    await contract(work, graph, `map_${round}`, `graph_${round}`)
    graph = `graph_${round}`
    edges = await work.count(graph)
  }
  const rounds = maps.length
  if (edges > 0 || rounds === 0) {
    await finishInMemory(work, graph, `map_${rounds}`, maxId)
    maps.push(`map_${rounds}`)
  }
  await compose(work, maps, result)
  return { rounds, inMemory: edges }
}

const hookAndFlatten = async (work: Work, graph: string, map: string): Promise<void> => {
  const [g, m] = [work.name(graph), work.name(map)]
  await work.make(
    map,
    `select e.x, min(e.y) as p from (select g.b as x, g.a as y from ${g} g union all select g.a as x, g.a as y from ${g} g) e group by e.x`,
  )
  for (;;) {
    // Vertices whose parent is no root yet.
    await work.make('active', `select s.x, t.p from ${m} s join ${m} t on t.x = s.p where t.p <> s.p`)
    if ((await work.count('active')) === 0) return
    await work.make(
      'jump',
      `select s.x, coalesce(t3.p, t2.p, t1.p) as p
from ${work.name('active')} s
join ${m} t1 on t1.x = s.p
left join ${m} t2 on t2.x = t1.p
left join ${m} t3 on t3.x = t2.p`,
    )
    await work.make(
      map,
      `select m.x, coalesce(j.p, m.p) as p from ${m} m left join ${work.name('jump')} j on j.x = m.x`,
    )
  }
}

const contract = (work: Work, graph: string, map: string, next: string): Promise<void> => {
  const m = work.name(map)
  return work.make(
    next,
    `select distinct least(u.p, w.p) as a, greatest(u.p, w.p) as b
from ${work.name(graph)} g join ${m} u on u.x = g.a join ${m} w on w.x = g.b
where u.p <> w.p`,
  )
}

const finishInMemory = async (work: Work, graph: string, map: string, maxId: number): Promise<void> => {
  const sets = unionFind(maxId + 1)
  const seen = new Uint8Array(maxId + 1)
  await work.each(`select g.a, g.b from ${work.name(graph)} g`, (a, b) => {
    sets.union(a, b)
    seen[a] = 1
    seen[b] = 1
  })
  await work.load(map, ['x', 'p'], (put) => {
    for (let id = 0; id <= maxId; id++) if (seen[id] === 1) put(id, sets.find(id))
  })
}

// The last map first: each is much smaller than the one before it.
const compose = async (work: Work, maps: readonly string[], result: string): Promise<void> => {
  let composed = maps.at(-1) ?? ''
  for (const map of maps.slice(0, -1).toReversed()) {
    await work.make(
      `composed_${map}`,
      `select m.x, coalesce(n.p, m.p) as p from ${work.name(map)} m left join ${work.name(composed)} n on n.x = m.p`,
    )
    composed = `composed_${map}`
  }
  work.alias(result, composed)
}
