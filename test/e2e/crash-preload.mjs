// Loaded before the program (node --import): watches what it does to the warehouse and to the disk, and kills it where CDP_TEST_CRASH
// says. With CDP_TEST_EFFECTS, a file, every effect is written there, to find points worth dying at.
import fs from 'node:fs'
import module, { syncBuiltinESMExports } from 'node:module'

const effects = process.env['CDP_TEST_EFFECTS']
const log = effects === undefined ? undefined : fs.openSync(effects, 'a')
const said = process.env['CDP_TEST_CRASH']
const crash = said === undefined ? undefined : JSON.parse(said)
const match = crash && new RegExp(crash.match, crash.flags)
let met = 0

const strike = (effect, text, when) => {
  if (log !== undefined && when === 'before') fs.writeSync(log, `${effect} ${text.replaceAll(/\s+/g, ' ').trim()}\n`)
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

// The engine's functions cannot be assigned to, so whoever loads its binary gets a copy.
const texts = new WeakMap()
const watched = (engine) => {
  const own = {
    prepare: async (connection, sql) => {
      const statement = await engine.prepare(connection, sql)
      texts.set(statement, sql)
      return statement
    },
    query: around('sql', (_connection, sql) => sql, engine.query),
  }
  for (const name of ['execute_prepared', 'execute_prepared_streaming']) {
    own[name] = around('sql', (statement) => texts.get(statement) ?? '', engine[name])
  }
  return Object.assign(
    Object.create(engine, Object.fromEntries(Object.keys(own).map((n) => [n, { writable: true }]))),
    own,
  )
}
const load = module['_load']
module['_load'] = (request, ...rest) => {
  const loaded = load(request, ...rest)
  return request.endsWith('/duckdb.node') ? watched(loaded) : loaded
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
