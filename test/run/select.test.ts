import { describe, expect, it } from 'vitest'
import { select, type Selectable } from '../../src/run/select.ts'

const nodes: Selectable[] = [
  { name: 'shop.customers', kind: 'stream', tags: [] },
  { name: 'people', kind: 'identity', tags: [] },
  { name: 'vip', kind: 'segment', tags: ['daily'] },
  { name: 'vip-to-crm', kind: 'sync', tags: ['daily'] },
]
const graph = new Map([
  ['shop.customers', []],
  ['people', ['shop.customers']],
  ['vip', ['people']],
  ['vip-to-crm', ['vip']],
])
const names = (selector: string): string[] => [...select(selector, nodes, graph)].toSorted()

describe('selectors', () => {
  it('mean a name, and with a plus what it needs or what needs it', () => {
    expect(names('people')).toEqual(['people'])
    expect(names('+people')).toEqual(['people', 'shop.customers'])
    expect(names('people+')).toEqual(['people', 'vip', 'vip-to-crm'])
  })

  it('mean tags, kinds, everything, and unions of these', () => {
    expect(names('tag:daily')).toEqual(['vip', 'vip-to-crm'])
    expect(names('kind:stream, vip')).toEqual(['shop.customers', 'vip'])
    expect(names('*')).toHaveLength(4)
  })

  it('that mean nothing are an error with the nearest name', () => {
    expect(() => names('poeple')).toThrow('Did you mean "people"?')
  })
})
