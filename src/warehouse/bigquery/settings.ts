// The settings of a project, resolved and checked before anything is asked of the service.
import { parseByteSize } from '../../core/byte-size.ts'
import { CdpError } from '../../core/errors.ts'
import { resolve } from '../../core/secret.ts'
import type { BigQuerySettings } from '../define-bigquery.ts'
import type { Schema } from '../warehouse.ts'

export interface Target {
  readonly project: string
  readonly location: string
  readonly datasets: Readonly<Record<Schema, string>>
  /** As the API wants it: digits. */
  readonly maximumBytesBilled: string | undefined
  readonly labels: Readonly<Record<string, string>>
  /** In a developer's copy: the state of the warehouse whose landed data is read, and the days after which a table of the copy goes. */
  readonly shared: { readonly cdp: string; readonly days: number } | undefined
  readonly journals: boolean
  readonly credentials: string | undefined
  readonly apiEndpoint: string | undefined
  readonly storageEndpoint: string | undefined
}

export const targetOf = (settings: Readonly<Record<string, unknown>>): Target => {
  const given = settings as unknown as BigQuerySettings
  const project = resolve(given.project)
  const refuse = (reason: string): CdpError => new CdpError('WAREHOUSE_OPEN', { path: `BigQuery ${project}`, reason })
  const named = { raw: 'raw', models: 'models', cdp: 'cdp', ...given.datasets }
  for (const name of Object.values(named)) {
    if (!/^\w{1,1024}$/.test(name)) throw refuse(`a dataset cannot be called ${name}: letters, digits and _ only`)
  }
  if (new Set(Object.values(named)).size < 3) throw refuse('raw, models and cdp must be three datasets')
  const days = given.developmentDays ?? 14
  if (!(days > 0 && Number.isFinite(days))) throw refuse(`developmentDays is ${days}; write a number of days above 0`)
  const { developer } = given as { readonly developer?: string }
  return {
    shared: developer === undefined ? undefined : { cdp: named.cdp, days },
    project,
    location: resolve(given.location),
    datasets: developer === undefined ? named : { ...named, ...own(named, developer) },
    maximumBytesBilled: given.maximumBytesBilled === undefined ? undefined : bytesOf(given.maximumBytesBilled, refuse),
    labels: checkedLabels(given.labels ?? {}, refuse),
    journals: given.journal === 'warehouse',
    credentials: given.credentials === undefined ? undefined : resolve(given.credentials),
    apiEndpoint: given.apiEndpoint === undefined ? undefined : resolve(given.apiEndpoint).replace(/\/+$/, ''),
    storageEndpoint: given.storageEndpoint === undefined ? undefined : resolve(given.storageEndpoint),
  }
}

/** What a developer writes to, beside the datasets of a project: `models_dev_lan`, `cdp_dev_lan`. */
const own = (datasets: { readonly models: string; readonly cdp: string }, developer: string) => ({
  models: `${datasets.models}_dev_${developer}`,
  cdp: `${datasets.cdp}_dev_${developer}`,
})

const bytesOf = (text: string, refuse: (reason: string) => CdpError): string => {
  const bytes = parseByteSize(text)
  if (bytes === undefined) throw refuse(`maximumBytesBilled is ${text}; write it as 50 GB or 2 TiB`)
  return String(bytes)
}

const checkedLabels = (
  labels: Readonly<Record<string, string>>,
  refuse: (reason: string) => CdpError,
): Readonly<Record<string, string>> => {
  for (const [key, value] of Object.entries(labels)) {
    if (!/^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}$/u.test(key) || !/^[\p{Ll}\p{Lo}\p{N}_-]{0,63}$/u.test(value)) {
      throw refuse(
        `the label ${key}: ${value} has more than lower-case letters, digits, _ and -, or more than 63 of them`,
      )
    }
  }
  return labels
}
