// The engine's own relations, and who may have the warehouse open at the same time.
import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { Clock } from '../core/clock.ts'
import { engineRelations, type EngineRelationName } from '../warehouse/relations.ts'
import { columnType } from '../warehouse/statements.ts'
import { stateVersion } from '../warehouse/version.ts'
import type { Warehouse } from '../warehouse/warehouse.ts'
import { count, numbers, onOne, one, raw, refusal, type WarehouseCase } from './warehouse-harness.ts'

const names = Object.keys(engineRelations) as EngineRelationName[]

const exact: WarehouseCase = onOne('the migrations give exactly the relations the engine names', async (w) => {
  deepEqual((await w.relations('cdp')).map((relation) => relation.name).toSorted(), names.toSorted())
  for (const name of names) {
    const wanted = Object.entries(engineRelations[name].columns).map(([column, type]) => ({
      name: column,
      type: w.typeName(columnType(type)),
    }))
    deepEqual(await w.describe(`select * from ${w.name({ schema: 'cdp', name })}`), wanted, name)
  }
})

const nullable: WarehouseCase = onOne('a column without the mark for null refuses it', async (w) => {
  const settings = w.name({ schema: 'cdp', name: 'settings' })
  await refusal('QUERY_FAILED', w.run(`insert into ${settings} (name, value) values ('a', null)`))
  await w.run(
    `insert into ${w.name({ schema: 'cdp', name: 'load_files' })} (stream, file, bytes, modified_ms, sha256, load_id, rows) values ('s', 'f', 1, 1, null, 'l', 1)`,
  )
})

const functions: WarehouseCase = onOne('the portable functions are installed', async (w) => {
  deepEqual(await one(w, `select cdp.safe_int('12') as a, cdp.safe_int('12.7') as b`), { a: 12, b: null })
})

const kept: WarehouseCase = {
  title: 'what was written is there when it is opened again',
  run: async ({ open }) => {
    const first = await open()
    await numbers(first, 't', 3)
    await first.close()
    await first.close()
    const second = await open({ mode: 'read' })
    equal(await count(second, raw('t')), 8)
    equal(await count(second, { schema: 'cdp', name: 'migrations' }), stateVersion)
    await second.close()
    await refusal('INTERNAL', second.all('select 1 as a'))
  },
}

const reading: WarehouseCase = {
  title: 'a warehouse opened to read refuses a change',
  run: async ({ open }) => {
    await (await open()).close()
    const reader = await open({ mode: 'read' })
    await refusal('QUERY_FAILED', reader.run(`create table ${reader.name(raw('t'))} (a ${reader.typeName('text')})`))
    await reader.close()
  },
}

const newer: WarehouseCase = {
  title: 'a state newer than this version is refused, to read and to write',
  run: async ({ open }) => {
    const w = await open()
    const log = w.name({ schema: 'cdp', name: 'migrations' })
    await w.run(
      `insert into ${log} select version + 1, 'from the future', applied_at from ${log} where version = ${stateVersion}`,
    )
    await w.close()
    for (const mode of ['read', 'write'] as const) {
      const error = await refusal('WAREHOUSE_NEWER', open({ mode }))
      deepEqual(error.args, { found: stateVersion + 1, known: stateVersion })
    }
  },
}

const older: WarehouseCase = {
  title: 'an older state is read as it is, and migrated when opened to write',
  run: async ({ open }) => {
    const w = await open()
    for (const name of names) await w.run(`drop table ${w.name({ schema: 'cdp', name })}`)
    await numbers(w, 'kept', 2)
    await w.close()
    const reader = await open({ mode: 'read' })
    deepEqual(await reader.relations('cdp'), [])
    equal(await count(reader, raw('kept')), 4)
    await reader.close()
    const writer = await open()
    equal((await writer.relations('cdp')).length, names.length)
    equal(await count(writer, raw('kept')), 4)
    await writer.close()
  },
}

const stamp = (w: Warehouse): Promise<unknown> =>
  w.all(`select version, applied_at from ${w.name({ schema: 'cdp', name: 'migrations' })}`)

const quiet: WarehouseCase = {
  title: 'a current warehouse is opened without a change',
  run: async ({ open }) => {
    const first = await open({ clock: stopped(0) })
    const before = await stamp(first)
    await first.close()
    const second = await open({ clock: stopped(86_400_000) })
    deepEqual(await stamp(second), before)
    await second.close()
  },
}

/** Stands still, except that a sleep passes its time at once. */
const stopped = (start: number): Clock & { readonly slept: number[] } => {
  const slept: number[] = []
  return {
    slept,
    now: () => start + slept.reduce((sum, ms) => sum + ms, 0),
    sleep: (ms) => {
      slept.push(ms)
      return Promise.resolve()
    },
  }
}

const readers: WarehouseCase = {
  title: 'several may read at the same time',
  run: async ({ open }) => {
    const writer = await open()
    await numbers(writer, 't', 3)
    await writer.close()
    const [a, b] = await Promise.all([open({ mode: 'read' }), open({ mode: 'read' })])
    equal(await count(a, raw('t')), 8)
    await a.close()
    equal(await count(b, raw('t')), 8)
    await b.close()
    await (await open()).close()
  },
}

const locked: WarehouseCase = {
  title: 'who finds the file in use waits, is told once who holds it, and then gives up',
  needs: 'fileLock',
  run: async ({ open }) => {
    for (const [holding, wanting] of [
      ['write', 'write'],
      ['write', 'read'],
      ['read', 'write'],
    ] as const) {
      if (holding === 'read') await (await open()).close()
      const holder = await open({ mode: holding })
      const clock = stopped(0)
      const told: string[] = []
      const error = await refusal(
        'WAREHOUSE_LOCKED',
        open({ mode: wanting, waitMs: 350, clock, onWait: (who) => told.push(who) }),
      )
      deepEqual(clock.slept, [100, 100, 100, 50])
      equal(told.length, 1)
      ok(told[0]?.includes(String(process.pid)))
      match(error.message, new RegExp(`pid ${process.pid}`))
      equal(error.kind, 'transient')
      await holder.close()
    }
  },
}

const freed: WarehouseCase = {
  title: 'who waits gets the file when it is let go, and stops waiting when interrupted',
  needs: 'fileLock',
  run: async ({ open }) => {
    const holder = await open()
    const waiting = open({ waitMs: 30_000, onWait: () => void holder.close() })
    await (await waiting).close()

    const again = await open()
    const stop = new AbortController()
    const aborted = open({ waitMs: 30_000, signal: stop.signal, onWait: () => stop.abort(new RangeError('enough')) })
    equal(await aborted.catch((error: unknown) => error instanceof RangeError && error.message), 'enough')
    await again.close()
    await (await open()).close()
  },
}

const cut: WarehouseCase = {
  title: 'closing ends an open stream and frees the warehouse',
  run: async ({ open }) => {
    const w = await open()
    const t = w.name(await numbers(w, 't', 15))
    const stream = w.stream(`select n from ${t}`)[Symbol.asyncIterator]()
    await stream.next()
    await w.close()
    await refusal('INTERNAL', stream.next())
    await (await open()).close()
  },
}

export const stateCases: readonly WarehouseCase[] = [
  exact,
  nullable,
  functions,
  kept,
  reading,
  newer,
  older,
  quiet,
  readers,
  locked,
  freed,
  cut,
]
