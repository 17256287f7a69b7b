// Directed graphs of names: order of work, what depends on what, and the circle when there is one.
import { CdpError } from './errors.ts'

/** name -> the names it depends on. Names that are only depended on need no entry. */
export type Graph = ReadonlyMap<string, readonly string[]>

/** Names so that each comes after what it depends on; ties keep the order of the map. Throws GRAPH_CYCLE. */
export const topological = (graph: Graph): string[] => {
  const done = new Set<string>()
  const path: string[] = []
  const out: string[] = []
  const visit = (name: string): void => {
    if (done.has(name)) return
    const at = path.indexOf(name)
    if (at >= 0) throw new CdpError('GRAPH_CYCLE', { path: [...path.slice(at), name] })
    path.push(name)
    for (const dependency of graph.get(name) ?? []) if (graph.has(dependency)) visit(dependency)
    path.pop()
    done.add(name)
    out.push(name)
  }
  for (const name of graph.keys()) visit(name)
  return out
}

/** All that a name depends on, itself left out. */
export const ancestors = (graph: Graph, name: string): Set<string> => reach(name, (n) => graph.get(n) ?? [])

/** All that depends on a name, itself left out. */
export const descendants = (graph: Graph, name: string): Set<string> => {
  const reversed = new Map<string, string[]>()
  for (const [from, tos] of graph) {
    for (const to of tos) reversed.set(to, [...(reversed.get(to) ?? []), from])
  }
  return reach(name, (n) => reversed.get(n) ?? [])
}

const reach = (start: string, next: (name: string) => readonly string[]): Set<string> => {
  const found = new Set<string>()
  const open = [...next(start)]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue
    found.add(name)
    open.push(...next(name))
  }
  return found
}
