// The service itself in place of the stand-in, for `npm run test:bigquery-live`. One variable names the project; nothing here runs without.
//
//   CDP_BIGQUERY_LIVE_PROJECT    whose datasets are made, and who pays
//   CDP_BIGQUERY_LIVE_LOCATION   default US
//   CDP_BIGQUERY_LIVE_BYTES      no statement may be billed for more; default 1 GB
import { randomBytes } from 'node:crypto'
import { BigQuery } from '@google-cloud/bigquery'
import type { BigQuerySettings } from '../../src/warehouse/define-bigquery.ts'

const asked = process.env['CDP_TEST_BIGQUERY'] === 'live'
const project = process.env['CDP_BIGQUERY_LIVE_PROJECT']
if (asked && project === undefined) {
  throw new Error(
    'CDP_BIGQUERY_LIVE_PROJECT must name the Google Cloud project to test in; its datasets cdp_live_… are made and removed',
  )
}

/** Whether tests meet the service. */
export const isLive = asked

/** Datasets that nobody else has, which are removed by `removeDatasets`. */
export const liveSettings = (): BigQuerySettings => {
  const prefix = `cdp_live_${randomBytes(5).toString('hex')}`
  return {
    project: project ?? '',
    location: location(),
    datasets: { raw: `${prefix}_raw`, models: `${prefix}_models`, cdp: `${prefix}_cdp` },
    maximumBytesBilled: process.env['CDP_BIGQUERY_LIVE_BYTES'] ?? '1 GB',
    labels: { purpose: 'cdp-live-test' },
  }
}

const location = (): string => process.env['CDP_BIGQUERY_LIVE_LOCATION'] ?? 'US'

/** Removes what a test made, with all that is in it. */
export const removeDatasets = async ({ datasets = {} }: BigQuerySettings): Promise<void> => {
  const client = new BigQuery({ projectId: project ?? '', location: location() })
  for (const name of Object.values(datasets)) {
    await client.dataset(name).delete({ force: true }).catch(passOver404)
  }
}

const passOver404 = (error: { readonly code?: unknown }): void => {
  if (error.code !== 404) throw error
}
