// The selector grammar, the same in every command: `vip_at_risk`, `+vip_at_risk` (and what it needs), `vip_at_risk+` (and what needs it),
// `tag:daily`, `kind:segment`, `*`. Several, separated by commas or spaces, are a union.
import { CdpError } from '../core/errors.ts'
import { ancestors, descendants, type Graph } from '../core/graph.ts'
import { didYouMean } from '../core/nearest.ts'
import type { CompiledProject } from '../project/compiled.ts'

export interface Selectable {
  readonly name: string
  readonly kind: string
  readonly tags: readonly string[]
}

/** Streams (`shop.customers`), models and syncs of a project, with what each depends on. */
export const projectGraph = (project: CompiledProject): { nodes: readonly Selectable[]; graph: Graph } => {
  const streamOf = new Map(project.streams.map((stream) => [`raw.${stream.relation}`, stream.id]))
  const nodes: Selectable[] = [
    ...project.streams.map((stream) => ({ name: stream.id, kind: 'stream', tags: [] })),
    ...project.models.map((model) => ({ name: model.name, kind: model.kind, tags: model.tags })),
    ...project.syncs.map((sync) => ({ name: sync.id, kind: 'sync', tags: sync.tags })),
  ]
  const graph = new Map<string, readonly string[]>()
  for (const stream of project.streams) graph.set(stream.id, [])
  for (const model of project.models) {
    graph.set(
      model.name,
      model.reads.map((name) => streamOf.get(name) ?? name),
    )
  }
  for (const sync of project.syncs) {
    graph.set(sync.id, [sync.from, ...(sync.purpose && project.consent ? [project.consent] : [])])
  }
  return { nodes, graph }
}

/** The names a selector means. Throws SELECTOR_UNKNOWN for a name or tag that nothing has. */
export const select = (selector: string, nodes: readonly Selectable[], graph: Graph): Set<string> => {
  const chosen = new Set<string>()
  for (const term of selector.split(/[\s,]+/).filter((part) => part !== '')) {
    for (const name of selectTerm(term, nodes, graph)) chosen.add(name)
  }
  return chosen
}

const selectTerm = (term: string, nodes: readonly Selectable[], graph: Graph): Set<string> => {
  if (term === '*') return new Set(nodes.map((node) => node.name))
  const up = term.startsWith('+')
  const down = term.endsWith('+')
  const body = term.slice(up ? 1 : 0, down ? -1 : undefined)
  const [prefix, value] = body.includes(':') ? (body.split(':', 2) as [string, string]) : [undefined, body]
  const hits = nodes.filter((node) => {
    if (prefix === 'tag') return node.tags.includes(value)
    if (prefix === 'kind') return node.kind === value
    return node.name === body
  })
  if (hits.length === 0) {
    const known = prefix === 'tag' ? nodes.flatMap((node) => node.tags) : nodes.map((node) => node.name)
    throw new CdpError('SELECTOR_UNKNOWN', { selector: term, near: didYouMean(value, new Set(known)) })
  }
  const chosen = new Set<string>()
  for (const hit of hits) {
    chosen.add(hit.name)
    if (up) for (const name of ancestors(graph, hit.name)) chosen.add(name)
    if (down) for (const name of descendants(graph, hit.name)) chosen.add(name)
  }
  return chosen
}
