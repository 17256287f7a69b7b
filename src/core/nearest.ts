// "Did you mean …?": the nearest names by edit distance.

/** Levenshtein distance of two short names. */
export const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** The name closest to a wrong one, or undefined when none is near (a third of its length, at least 2). */
export const nearest = (wrong: string, names: Iterable<string>): string | undefined => {
  let best: string | undefined
  let bound = Math.max(2, Math.floor(wrong.length / 3)) + 1
  for (const name of names) {
    const d = distance(wrong.toLowerCase(), name.toLowerCase())
    if (d < bound) {
      bound = d
      best = name
    }
  }
  return best
}

/** ` Did you mean "x"?` or an empty text, to append to a message. */
export const didYouMean = (wrong: string, names: Iterable<string>): string => {
  const near = nearest(wrong, names)
  return near === undefined ? '' : ` Did you mean "${near}"?`
}
