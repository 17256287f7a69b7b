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

export interface SyncState {
  readonly sync: string
  readonly last: string | null
  readonly at: string | null
  readonly in_sync: number
  readonly rejected: number
  readonly retry: number
  readonly unknown: number
  readonly pending: number
  readonly skipped: number
  /** The most frequent reason of rows that are not delivered. */
  readonly top_reason: string | null
  readonly due_at: string | null
}

/** Where every sync stands, those gone from the project but with members at their destination among them. */
export const syncStates = (session: Session): Promise<SyncState[]> =>
  session.all<SyncState>(
    `with folded as (
       select sync,
              count(case when status = 'delivered' then 1 end) as in_sync,
              count(case when status = 'rejected' then 1 end) as rejected,
              count(case when status = 'retry' then 1 end) as retry,
              count(case when status = 'unknown' then 1 end) as unknown,
              count(case when status = 'pending' then 1 end) as pending
       from cdp.sync_rows group by sync
     ),
     reasons as (
       select sync, reason, row_number() over (partition by sync order by count(*) desc, reason) as place
       from cdp.sync_rows where status <> 'delivered' and reason is not null group by sync, reason
     ),
     skips as (select sync, count(*) as skipped from cdp.sync_skipped group by sync)
     select s.sync, r.status as last, coalesce(r.finished_at, r.started_at) as at,
            coalesce(f.in_sync, 0) as in_sync, coalesce(f.rejected, 0) as rejected, coalesce(f.retry, 0) as retry,
            coalesce(f.unknown, 0) as unknown, coalesce(f.pending, 0) as pending, coalesce(k.skipped, 0) as skipped,
            t.reason as top_reason, s.due_at
     from cdp.syncs s
     left join cdp.sync_runs r on r.sync = s.sync and r.epoch = (select max(m.epoch) from cdp.sync_runs m where m.sync = s.sync)
     left join folded f on f.sync = s.sync
     left join skips k on k.sync = s.sync
     left join reasons t on t.sync = s.sync and t.place = 1
     order by s.sync`,
  )
