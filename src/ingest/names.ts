// Names of landed columns: SQL-safe by one rule, the original kept in cdp.schemas.

/**
 * Trimmed, then every run of characters other than ASCII letters, digits and `_` becomes one `_`. Empty becomes `column_<position>`;
 * a first digit gets `_` before it. Composed and decomposed spellings of a letter (NFC, NFD) give the same name.
 */
export const safeName = (original: string, position: number): string => {
  const name = original
    .normalize('NFC')
    .trim()
    .replaceAll(/[^A-Za-z0-9_]+/g, '_')
  if (name === '') return `column_${position}`
  return /^[0-9]/.test(name) ? `_${name}` : name
}

export interface NamedColumn {
  readonly name: string
  readonly original: string
}

/** The engine's own columns of a raw relation start so; a source's column that does is renamed. */
export const ownPrefix = '_cdp_'

/**
 * Names for the columns of one file or load, given those the stream has. An original name seen before keeps its column; else, for CSV,
 * names that are equal by the rule are the same column (`Full Name` in one file, `full_name` in another), case apart. A name taken
 * within the same file gets `_2`, `_3`.
 */
export const nameColumns = (
  originals: readonly string[],
  known: readonly NamedColumn[],
  options: { readonly sameByRule: boolean } = { sameByRule: true },
): NamedColumn[] => {
  const byName = new Map(known.map((column) => [column.name.toLowerCase(), column.name]))
  const used = new Set<string>()
  const out: (NamedColumn | undefined)[] = originals.map((original) => {
    const seen = known.find((column) => column.original === original && !used.has(column.name.toLowerCase()))
    if (!seen) return undefined
    used.add(seen.name.toLowerCase())
    return { name: seen.name, original }
  })
  return originals.map((original, at) => {
    const found = out[at]
    if (found) return found
    const base = safeName(original, at + 1)
    const own = base.toLowerCase().startsWith(ownPrefix)
    for (let n = own ? 2 : 1; ; n++) {
      const name = n === 1 ? base : `${base}_${n}`
      const key = name.toLowerCase()
      if (used.has(key) || (!options.sameByRule && byName.has(key))) continue
      used.add(key)
      return { name: byName.get(key) ?? name, original }
    }
  })
}
