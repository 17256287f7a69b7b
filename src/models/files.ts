// Which files make which model: one `<name>.sql` a relation whatever folder it is in, overrides for one engine, tests apart.
import { CdpError } from '../core/errors.ts'
import { folded } from './references/reference.ts'

/** A file below the models folder, as read. */
export interface ModelFile {
  /** Relative to the project, with `/`. */
  readonly file: string
  readonly text: string
}

export interface ChosenModel {
  readonly name: string
  /** Whose SQL counts on this engine. */
  readonly file: ModelFile
  /** `<name>.sql`, where `file` is an override: its header counts unless the override has one. */
  readonly base: ModelFile | undefined
}

export interface ChosenFiles {
  readonly models: readonly ChosenModel[]
  readonly tests: readonly ModelFile[]
  readonly problems: readonly CdpError[]
}

/** That a file can be for: `<name>.<engine>.sql`. */
export const engines: readonly string[] = ['duckdb', 'bigquery']
const nameRule = /^[\p{L}_][\p{L}\p{M}\p{N}_]*$/u

/** `folder`: the project's models folder, as in `file`. */
export const chooseFiles = (files: readonly ModelFile[], folder: string, engine: string): ChosenFiles => {
  const problems: CdpError[] = []
  const tests: ModelFile[] = []
  const byName = new Map<string, { readonly name: string; readonly variants: Map<string, ModelFile> }>()
  for (const file of files.toSorted((a, b) => (a.file < b.file ? -1 : 1))) {
    if (file.file.startsWith(`${folder}/tests/`)) {
      tests.push(file)
      continue
    }
    const base = (file.file.split('/').at(-1) ?? '').replace(/\.sql$/, '').normalize('NFC')
    const [name = '', variant = '', ...more] = base.split('.')
    const why = wrongName(name, variant, more)
    if (why !== undefined) {
      problems.push(new CdpError('MODEL_NAME', { file: file.file, why }, { place: { file: file.file } }))
      continue
    }
    const found = byName.get(folded(name)) ?? { name, variants: new Map<string, ModelFile>() }
    byName.set(folded(name), found)
    const other = found.variants.get(variant)
    if (other === undefined) found.variants.set(variant, file)
    else {
      const args = { name, files: [other.file, file.file] }
      problems.push(new CdpError('MODEL_DUPLICATE', args, { place: { file: file.file } }))
    }
  }
  const models: ChosenModel[] = []
  for (const { name, variants } of byName.values()) {
    const base = variants.get('')
    const file = variants.get(engine) ?? base
    if (file !== undefined) models.push({ name, file, base: file === base ? undefined : base })
    else {
      const found = [...variants.values()].map((variant) => variant.file)
      problems.push(new CdpError('MODEL_ENGINE', { model: name, engine, found }, { place: { file: found[0] ?? name } }))
    }
  }
  return { models, tests, problems }
}

const wrongName = (name: string, variant: string, more: readonly string[]): string | undefined => {
  if (more.length > 0 || (variant !== '' && !engines.includes(variant))) {
    return `".${[variant, ...more].join('.')}" is no engine (${engines.join(', ')})`
  }
  if (!nameRule.test(name)) return `"${name}" has other characters or starts with a digit`
  if (name.toLowerCase().startsWith('_cdp_')) return 'names that start with _cdp_ are the engine’s own'
  return undefined
}
