// Connected components in memory, for graphs that fit: union by the smaller id with path halving, so a root is the smallest of its set.

export interface UnionFind {
  find(id: number): number
  /** Joins two sets; false when they were one already. */
  union(a: number, b: number): boolean
}

/** Over the ids 0 … size-1. Four bytes an id. */
export const unionFind = (size: number): UnionFind => {
  const parent = new Int32Array(size)
  for (let i = 0; i < size; i++) parent[i] = i
  const at = (id: number): number => parent[id] ?? id
  const find = (id: number): number => {
    let x = id
    let p = at(x)
    while (p !== x) {
      const g = at(p)
      parent[x] = g
      x = g
      p = at(x)
    }
    return x
  }
  return {
    find,
    union: (a, b) => {
      const ra = find(a)
      const rb = find(b)
      if (ra === rb) return false
      if (ra < rb) parent[rb] = ra
      else parent[ra] = rb
      return true
    },
  }
}
