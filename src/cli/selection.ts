// `--select` as a set of names; undefined means everything.
import type { CompiledProject } from '../project/compiled.ts'
import { projectGraph, select } from '../run/select.ts'

export const selection = (project: CompiledProject, selector: string | undefined): ReadonlySet<string> | undefined => {
  if (selector === undefined) return undefined
  const { nodes, graph } = projectGraph(project)
  return select(selector, nodes, graph)
}
