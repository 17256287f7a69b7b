// Syncs of a project as plain data, checked against their destinations and the models. What needs columns is checked by `cdp check`.
import { CdpError } from '../core/errors.ts'
import { fingerprint } from '../core/hash.ts'
import { didYouMean } from '../core/nearest.ts'
import { secretsIn } from '../core/secret.ts'
import { pathText, problemsOf } from '../models/zod-problems.ts'
import { hasBrand } from '../core/brand.ts'
import type { SyncDefinition } from '../sync/define-sync.ts'
import type { Destination, DestinationFacts } from '../sync/destination.ts'
import type { CompiledProject, CompiledSync } from './compiled.ts'
import { placeOfPath } from './places.ts'
import { fieldNames, requiredNames, syncSchema } from './schema.ts'

export interface SyncFile {
  readonly file: string
  readonly text: string
  /** Its default export. */
  readonly value: unknown
}

export interface SyncFacts {
  readonly models: readonly string[]
  /** What the configuration says of consent; undefined when it is not known, because it is wrong. */
  readonly consent: { readonly model: string | undefined; readonly required: boolean } | undefined
}

export interface CompiledSyncs {
  readonly syncs: readonly CompiledSync[]
  readonly destinations: ReadonlyMap<string, Destination>
  readonly problems: readonly CdpError[]
  readonly warnings: CompiledProject['warnings']
}

export const compileSyncs = (files: readonly SyncFile[], facts: SyncFacts): CompiledSyncs => {
  const problems: CdpError[] = []
  const warnings: { message: string; file: string }[] = []
  const syncs: CompiledSync[] = []
  const destinations = new Map<string, Destination>()
  for (const { file, text, value } of files) {
    const wrong = (path: readonly (string | number)[], reason: string): void => {
      problems.push(
        new CdpError('SYNC_INVALID', { sync: idOf(file), reason }, { place: placeOfPath(file, text, path) }),
      )
    }
    if (!isSync(value)) {
      wrong([], 'its default export is not defineSync({ … }).')
      continue
    }
    const parsed = syncSchema.safeParse(value, { reportInput: true })
    if (!parsed.success) {
      for (const problem of problemsOf(syncSchema, parsed.error.issues)) wrong(problem.path, problem.message)
      continue
    }
    const definition = value
    checkAgainst(definition, facts, wrong)
    const sync = compileSync(definition, file)
    const same = syncs.find((other) => other.id === sync.id)
    if (same !== undefined) {
      const args = { id: sync.id, files: [same.file, file] }
      problems.push(new CdpError('SYNC_DUPLICATE', args, { place: placeOfPath(file, text, ['id']) }))
    }
    if (definition.purpose === undefined && facts.consent?.model !== undefined && !facts.consent.required) {
      warnings.push({ message: `${sync.id} names no purpose: its rows are sent whatever consent says.`, file })
    }
    syncs.push(sync)
    destinations.set(sync.id, definition.to)
  }
  return { syncs, destinations, problems, warnings }
}

const idOf = (file: string): string => (file.split('/').at(-1) ?? file).replace(/\.[mc]?[jt]s$/, '')

const isSync = (value: unknown): value is SyncDefinition => hasBrand('sync', value)

type Wrong = (path: readonly (string | number)[], reason: string) => void

const checkAgainst = (sync: SyncDefinition, facts: SyncFacts, wrong: Wrong): void => {
  const { to } = sync
  if (!facts.models.includes(sync.from)) {
    wrong(['from'], `from: there is no model "${sync.from}".${didYouMean(sync.from, facts.models)}`)
  }
  checkNames('key', Object.keys(sync.key), to.key, `match key of ${to.name}`, wrong)
  checkNames('map', Object.keys(sync.map), to.record, `field of ${to.name}`, wrong)
  const keys = new Set(Object.keys(sync.key))
  const fields = new Set(Object.keys(sync.map))
  for (const name of requiredNames(to.record)) {
    if (!keys.has(name) && !fields.has(name)) wrong(['map'], `map: ${to.name} needs the field "${name}".`)
  }
  for (const name of requiredNames(to.key)) {
    if (!keys.has(name)) wrong(['key'], `key: ${to.name} needs the match key "${name}".`)
  }
  for (const [at, name] of (sync.clear ?? []).entries()) {
    if (!fields.has(name)) {
      wrong(['clear', at], `clear: "${name}" is not in map.${didYouMean(name, Object.keys(sync.map))}`)
    }
  }
  if (!to.modes.includes(sync.mode)) {
    wrong(['mode'], `mode: ${to.name} does not know "${sync.mode}", only ${to.modes.join(', ')}.`)
  }
  checkRemove(sync, wrong)
  if (sync.purpose !== undefined && facts.consent && facts.consent.model === undefined) {
    wrong(['purpose'], `purpose: the project names no consent model; add consent: '<model>' to cdp.config.ts.`)
  }
  if (sync.purpose === undefined && facts.consent?.required === true) {
    wrong([], `it names no purpose, and cdp.config.ts says requirePurpose: true.`)
  }
}

const checkNames = (
  path: 'key' | 'map',
  names: readonly string[],
  schema: unknown,
  what: string,
  wrong: Wrong,
): void => {
  const known = fieldNames(schema)
  if (known === undefined) return
  for (const name of names.filter((one) => !known.includes(one))) {
    const near = didYouMean(name, known) || ` Known: ${known.join(', ')}.`
    wrong([path, name], `${pathText([path, name])}: there is no ${what} called "${name}".${near}`)
  }
}

const checkRemove = ({ to, mode, remove }: SyncDefinition, wrong: Wrong): void => {
  const ways = to.removes ?? []
  if (remove === undefined) {
    if (mode === 'mirror' && ways.length > 0) {
      wrong(
        ['mode'],
        `mode: mirror removes rows; say what a removal does at ${to.name}: remove: ${ways.map((way) => `'${way}'`).join(' or ')}.`,
      )
    }
  } else if (!ways.includes(remove)) {
    const known =
      ways.length === 0 ? `${to.name} takes none.` : `it must be ${ways.join(' or ')}.${didYouMean(remove, ways)}`
    wrong(['remove'], `remove: ${known}`)
  }
}

const compileSync = (sync: SyncDefinition, file: string): CompiledSync => {
  const id = sync.id ?? idOf(file)
  const whole = {
    id,
    file,
    from: sync.from,
    key: defined(sync.key),
    map: defined(sync.map),
    mode: sync.mode,
    remove: sync.remove,
    purpose: sync.purpose,
    clear: sync.clear ?? [],
    guard: sync.guard ?? {},
    destination: factsOf(sync.to),
    secrets: secretsIn(sync.to.settings),
  }
  const { file: _file, ...counted } = whole
  return { ...whole, description: sync.description ?? '', tags: sync.tags ?? [], fingerprint: fingerprint(counted) }
}

const defined = <T>(record: Readonly<Record<string, T | undefined>>): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(record).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))

// All of a destination but its code.
const factsOf = (to: Destination): DestinationFacts => without(to, 'key', 'record', 'settings', 'open')

const without = <T extends object, K extends keyof T>(value: T, ...keys: readonly K[]): Omit<T, K> => {
  const copy = { ...value }
  for (const key of keys) Reflect.deleteProperty(copy, key)
  return copy
}
