import { describe, expect, it } from 'vitest'
import { ancestors, descendants, topological } from '../../src/core/graph.ts'

const graph = new Map([
  ['segment', ['profiles', 'spending']],
  ['profiles', ['people']],
  ['spending', ['people', 'raw.receipts']],
  ['people', ['records']],
  ['records', []],
])

describe('graph', () => {
  it('puts every name after what it depends on', () => {
    const order = topological(graph)
    for (const [name, dependencies] of graph) {
      for (const dependency of dependencies.filter((d) => graph.has(d))) {
        expect(order.indexOf(dependency)).toBeLessThan(order.indexOf(name))
      }
    }
    expect(order).toHaveLength(graph.size)
  })

  it('names the circle when there is one', () => {
    const circular = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b']],
    ])
    expect(() => topological(circular)).toThrow('b -> c -> b')
  })

  it('finds all that a name needs and all that needs it', () => {
    expect([...ancestors(graph, 'spending')].toSorted()).toEqual(['people', 'raw.receipts', 'records'])
    expect([...descendants(graph, 'people')].toSorted()).toEqual(['profiles', 'segment', 'spending'])
  })
})
