import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { components, type ComponentsResult } from '../../src/identity/components.ts'
import { unionFind } from '../../src/identity/union-find.ts'
import { withWork } from '../../src/identity/work.ts'
import { openMemory, type TestWarehouse } from './graph.ts'

let at: TestWarehouse
beforeAll(async () => {
  at = await openMemory()
})
afterAll(() => at.close())

type Pair = readonly [number, number]

const run = async (
  pairs: string,
  maxId: number,
  inMemoryUpTo: number,
): Promise<{ result: ComponentsResult; roots: Map<number, number> }> =>
  withWork(at.warehouse, 'identity', async (work) => {
    await work.make('pairs', pairs)
    const result = await components(work, 'pairs', 'roots', maxId, inMemoryUpTo)
    const rows = await at.warehouse.all<{ x: number; p: number }>(`select x, p from ${work.name('roots')}`)
    return { result, roots: new Map(rows.map((row) => [row.x, row.p])) }
  })

const pairsOf = (pairs: readonly Pair[]): string => {
  const rows = pairs.map(([a, b]) => `(${Math.min(a, b)}, ${Math.max(a, b)})`).join(', ')
  return `select distinct a, b from (values ${rows}) v(a, b) where a <> b`
}

const expected = (pairs: readonly Pair[]): Map<number, number> => {
  const sets = unionFind(200)
  for (const [a, b] of pairs) sets.union(a, b)
  const linked = pairs.filter(([a, b]) => a !== b).flat()
  return new Map(linked.map((id) => [id, sets.find(id)]))
}

describe('components', () => {
  test('in the warehouse and in memory are the same, and their root is the smallest id', async () => {
    const pair = fc.tuple(fc.nat(199), fc.nat(199))
    await fc.assert(
      fc.asyncProperty(
        fc.array(pair, { minLength: 1, maxLength: 220 }),
        fc.constantFrom(0, 20, 1000),
        async (pairs, bound) => {
          const { roots } = await run(pairsOf(pairs), 199, bound)
          expect(roots).toEqual(expected(pairs))
        },
      ),
      { numRuns: 25, endOnFailure: true },
    )
  })

  const n = 1024
  test.each([
    ['a chain in the order of ids', `select i as a, i + 1 as b from range(${n - 1}) t(i)`],
    [
      'a shuffled chain',
      `select least(x, y) as a, greatest(x, y) as b from (select r as x, lead(r) over (order by i) as y from (select i, row_number() over (order by md5(cast(i as varchar))) - 1 as r from range(${n}) t(i))) where y is not null`,
    ],
    ['a star whose hub has the highest id', `select i as a, ${n - 1} as b from range(${n - 1}) t(i)`],
    ['a star whose hub has the lowest id', `select 0 as a, i as b from range(1, ${n}) t(i)`],
    ['a tree', `select i // 2 as a, i as b from range(1, ${n}) t(i)`],
  ])('of %s take no more than 2 log2(n) rounds', async (_, pairs) => {
    const { result, roots } = await run(pairs, n, 0)
    expect(result.rounds).toBeLessThanOrEqual(2 * Math.log2(n))
    expect(result.inMemory).toBe(0)
    expect(roots.size).toBe(n)
    expect(new Set(roots.values())).toEqual(new Set([0]))
  })

  test('of a graph without edges are none', async () => {
    const { roots } = await run('select 1 as a, 2 as b where false', 2, 10)
    expect(roots.size).toBe(0)
  })
})
