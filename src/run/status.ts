// `cdp status`: the last run, what is wrong, and where every sync stands, each from one SELECT over the engine's state.
import type { Session } from '../warehouse/warehouse.ts'

export interface RunStatus {
  readonly run: string
  readonly command: string
  readonly status: string
  readonly started_at: string
  readonly finished_at: string | null
  readonly exit_code: number | null
}

export interface WrongStatus {
  /** `model`, `stream` or `quarantine`. */
  readonly what: string
  readonly name: string
  readonly detail: string
}

export const lastRuns = (session: Session): Promise<RunStatus[]> =>
  session.all<RunStatus>(
    `select run_id as run, command, status, started_at, finished_at, exit_code from cdp.runs
     where run_id in (select max(run_id) from cdp.runs group by command) order by run_id desc`,
  )

/** What needs somebody: failed models and loads, open quarantine rows. */
export const wrongNow = (session: Session): Promise<WrongStatus[]> =>
  session.all<WrongStatus>(
    `select 'model' as what, v.relation as name,
            coalesce((select max(s.detail) from cdp.run_steps s where s.step = v.relation
                      and s.run_id = (select max(t.run_id) from cdp.run_steps t where t.step = v.relation)), 'failed') as detail
     from cdp.versions v where v.status = 'failed'
     union all
     select 'stream', l.stream, coalesce(l.error, 'failed') from cdp.loads l
     where l.status = 'failed' and l.load_id = (select max(m.load_id) from cdp.loads m where m.stream = l.stream)
     union all
     select 'quarantine', stream, cast(count(*) as varchar) || ' open rows, the first: ' || min(reason)
     from cdp.quarantine where status = 'open' group by stream
     order by 1, 2`,
  )
