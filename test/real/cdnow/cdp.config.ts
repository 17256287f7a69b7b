// CDNOW: every purchase of the 23,570 people who first bought in the first quarter of 1997, until mid 1998. Fixed-width text.
import { defineProject, duckdb, env } from 'composable-cdp'
import { files } from 'composable-cdp/connectors/files'

export default defineProject({
  name: 'cdnow',
  timeZone: 'America/New_York',
  warehouses: { local: duckdb({ path: '.cdp/test.duckdb' }) },
  sources: {
    cdnow: files({ streams: { lines: { path: env('CDNOW_FILE'), format: 'lines', lines: true } } }),
  },
})
