// `npm run demo`: the main job on embedded DuckDB or on BigQuery's stand-in, told with the product's own commands. Two days of a company,
// then a third run with nothing to do; what the vendors' stand-ins hold is compared with the segments, and the demo fails if they differ.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { compareAudiences } from './audiences.ts'
import { closing, showPlan, showRun, showSyncs } from './closing.ts'
import { DAY_1_NOW, DAY_2_NOW, generateDay1, generateDay2 } from './generate/index.ts'
import { personsAgainstTruth } from './persons.ts'
import { aside, createShell, heading, say, startSandbox } from './shell.ts'
import { openTarget, targets, type Target } from './target.ts'

const repository = new URL('../..', import.meta.url).pathname

const help = `npm run demo [-- --target local|bigquery]

Two days of a company, told with the commands of the product, and a third run with nothing to do. In the end what the vendors hold is
compared with the segments: exit code 0 when they are the same, 1 when not, 2 when the demo cannot start.

  --target local      embedded DuckDB, in .cdp/lotus.duckdb, which stays for you to look at (the default)
  --target bigquery   the same story on BigQuery's stand-in, local-bigquery, which is installed once into ~/.cache/composable-cdp,
                      started on loopback, and stopped at the end. Needs Python 3.13: \`pyenv install 3.13\`. Takes some minutes.

The project is this repository. Its warehouse \`bigquery\` is a project of your own when LOTUS_GCP_PROJECT names it, for every command but
this one: LOTUS_GCP_PROJECT=my-project npx cdp run --target bigquery`

// The demo is the repository's own project; what an earlier demo left is cleared, so that it starts from nothing.
const startFresh = async (files: readonly string[]): Promise<string> => {
  const state = join(repository, '.cdp')
  for (const part of ['lotus', 'journal', 'spool', 'locks', ...files]) {
    await rm(join(state, part), { recursive: true, force: true })
  }
  return join(state, 'lotus')
}

const tell = async (target: Target): Promise<number> => {
  const started = performance.now()
  const folder = repository.replace(/\/$/, '')
  const data = await startFresh(target.files)
  const sandbox = await startSandbox(folder)
  try {
    const vendors = { HUBSPOT_URL: `${sandbox.url}/hubspot`, CAMPAIGN_URL: `${sandbox.url}/webhook` }
    const shell = createShell(folder, { ...vendors, ...target.env }, target.flags)
    say(
      `Lotus sells coffee in six shops and on the web. Its project is this repository; the vendors are stand-ins at ${sandbox.url}`,
    )

    heading('Day 1. Five systems export what they know.')
    const day1 = await generateDay1(data)
    say(
      `${day1.records.total.toLocaleString('en-US')} records of ${day1.people.total.toLocaleString('en-US')} people, ${day1.rows.events.toLocaleString('en-US')} web events, spelled as people spell them.`,
    )
    const run1 = await shell.cdp(['run', '--now', DAY_1_NOW])
    showRun(run1)
    aside('Rows that could not be read are kept, with the reason:')
    const quarantine = await shell.cdp([
      'query',
      "select stream, file, line, reason from cdp.quarantine where status = 'open' order by line",
    ])
    for (const row of quarantine.rows) say(`  ${String(row['file'])}:${String(row['line'])} ${String(row['reason'])}`)
    showPlan(await shell.cdp(['plan', '--now', DAY_1_NOW]))
    const sync1 = await shell.cdp(['sync', '--now', DAY_1_NOW])
    showSyncs(sync1)
    const audience1 = await compareAudiences(shell, sandbox.url, folder)
    const persons1 = await personsAgainstTruth(shell, join(data, 'truth/records.csv'))

    heading('Day 2. One per cent is new or changed; some leave a segment; two known people turn out to be one.')
    await generateDay2(data)
    const run2 = await shell.cdp(['run', '--now', DAY_2_NOW])
    showRun(run2)
    const sync2 = await shell.cdp(['sync', '--now', DAY_2_NOW])
    showSyncs(sync2)
    const audience2 = await compareAudiences(shell, sandbox.url, folder)
    const persons2 = await personsAgainstTruth(shell, join(data, 'truth/records.csv'))
    const moved = await shell.cdp([
      'query',
      'select event, count(*) as ids, sum(records) as records from cdp.person_history where run_id = (select max(run_id) from cdp.person_history) group by event order by event',
    ])
    say(
      `Ids on day 2: ${moved.rows.map((row) => `${String(row['ids'])} ${String(row['event'])}`).join(', ')}; every other person kept theirs.`,
    )

    heading('And once more, with nothing new.')
    const run3 = await shell.cdp(['run', '--now', DAY_2_NOW])
    showRun(run3)
    const sync3 = await shell.cdp(['sync', '--now', DAY_2_NOW])
    showSyncs(sync3)

    heading('In the end')
    const equal = closing({
      runs: [run1, run2, run3],
      syncs: [sync1, sync2, sync3],
      persons: [persons1, persons2],
      audiences: [audience1, audience2],
      sizes: await shell.cdp(
        [
          'query',
          'select * from cdp.segment_sizes z where z.run_id = (select max(s.run_id) from cdp.segment_sizes s where s.segment = z.segment) order by segment',
        ],
        { quiet: true },
      ),
      loads: await shell.cdp(
        [
          'query',
          'select stream, sum(rows_new) as landed, sum(rows_changed) as changed, sum(rows_quarantined) as rejected from cdp.loads group by stream order by stream',
        ],
        { quiet: true },
      ),
      seconds: (performance.now() - started) / 1000,
    })
    say()
    for (const line of target.next) say(line)
    return equal ? 0 : 1
  } finally {
    await sandbox.stop()
  }
}

const main = async (): Promise<number> => {
  const asked = readArguments()
  if (typeof asked === 'number') return asked
  const target = await openTarget(asked)
  if (typeof target === 'string') {
    console.error(`\n${target}.`)
    return 2
  }
  try {
    return await tell(target)
  } finally {
    await target.stop()
  }
}

/** The target, or the exit code when there is nothing to tell. */
const readArguments = (): (typeof targets)[number] | number => {
  try {
    const { values } = parseArgs({
      options: { target: { type: 'string', default: 'local' }, help: { type: 'boolean', default: false } },
    })
    if (values.help) {
      say(help)
      return 0
    }
    const found = targets.find((name) => name === values.target)
    if (found !== undefined) return found
    console.error(`There is no target ${values.target}; there are ${targets.join(' and ')}.`)
  } catch (thrown) {
    console.error((thrown as Error).message)
  }
  return 2
}

process.exitCode = await main()
