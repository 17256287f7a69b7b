// `npm run bench [name …]`: every program of this folder, one after another, each printing JSON lines of ratios against a peer or a limit.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

const here = new URL('.', import.meta.url).pathname
const asked = process.argv.slice(2)
const programs = readdirSync(here)
  .filter((file) => file.endsWith('.js') && file !== 'main.js')
  .map((file) => file.slice(0, -3))
const chosen = asked.length === 0 ? programs : programs.filter((name) => asked.includes(name))
if (chosen.length === 0) {
  console.error(`There is no such benchmark; there are ${programs.join(', ')}.`)
  process.exitCode = 2
}
for (const name of chosen) {
  const ended = spawnSync(process.execPath, [join(here, `${name}.js`)], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (ended.status !== 0) process.exitCode = 1
}
