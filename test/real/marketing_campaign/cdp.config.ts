// A survey of 2,240 customers: tabs between fields, dates as 04-09-2012, some incomes missing.
import { defineProject, duckdb, env } from 'composable-cdp'
import { files } from 'composable-cdp/connectors/files'

export default defineProject({
  name: 'campaign',
  warehouses: { local: duckdb({ path: '.cdp/test.duckdb' }) },
  sources: {
    survey: files({
      streams: { customers: { path: env('CAMPAIGN_FILE'), key: ['ID'], types: { Income: 'decimal(18,2)' } } },
    }),
  },
})
