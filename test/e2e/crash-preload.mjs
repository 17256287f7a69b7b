// Loaded before the program (node --import): watches what it does to the warehouse and to the disk, and kills it where CDP_TEST_CRASH
// says. With CDP_TEST_EFFECTS, a file, every effect is written there, to find points worth dying at.
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import duckdb from '@duckdb/node-bindings'

const log = process.env['CDP_TEST_EFFECTS']
const said = process.env['CDP_TEST_CRASH']
const crash = said === undefined ? undefined : JSON.parse(said)
const match = crash && new RegExp(crash.match, crash.flags)
const append = fs.appendFileSync
let met = 0

const strike = (effect, text, when) => {
  if (log !== undefined && when === 'before') append(log, `${effect} ${text.replaceAll(/\s+/g, ' ').trim()}\n`)
  if (!crash || crash.effect !== effect || crash.when !== when || !match.test(text)) return
  met += 1
  if (met === crash.nth) process.kill(process.pid, 'SIGKILL')
}

const around =
  (effect, textOf, work) =>
  (...args) => {
    const text = textOf(...args)
    strike(effect, text, 'before')
    const result = work(...args)
    if (!(result instanceof Promise)) {
      strike(effect, text, 'after')
      return result
    }
    return result.then((value) => {
      strike(effect, text, 'after')
      return value
    })
  }

const texts = new WeakMap()
const { prepare } = duckdb
duckdb.prepare = async (connection, sql) => {
  const statement = await prepare(connection, sql)
  texts.set(statement, sql)
  return statement
}
duckdb.query = around('sql', (_connection, sql) => sql, duckdb.query)
for (const name of ['execute_prepared', 'execute_prepared_streaming']) {
  duckdb[name] = around('sql', (statement) => texts.get(statement) ?? '', duckdb[name])
}

for (const name of ['rename', 'rm', 'link', 'truncate', 'writeFile']) {
  fs.promises[name] = around('disk', (path) => `${name} ${String(path)}`, fs.promises[name])
  const sync = `${name}Sync`
  fs[sync] = around('disk', (path) => `${name} ${String(path)}`, fs[sync])
}
const paths = new WeakMap()
const { open } = fs.promises
let patched = false
fs.promises.open = async (path, ...rest) => {
  const handle = await open(path, ...rest)
  paths.set(handle, String(path))
  if (patched) return handle
  patched = true
  const prototype = Object.getPrototypeOf(handle)
  for (const name of ['write', 'sync', 'datasync']) {
    const work = prototype[name]
    prototype[name] = function (...args) {
      return around('disk', () => `${name} ${paths.get(this) ?? ''}`, work.bind(this))(...args)
    }
  }
  return handle
}
syncBuiltinESMExports()
