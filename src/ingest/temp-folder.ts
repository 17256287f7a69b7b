// The folder of one load's temporary files. Those of processes that were killed are removed by the next load: they may hold gigabytes.
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from './errno.ts'

let made = 0

/** Makes a folder below `parent`; its name says whose it is. */
export const makeTempFolder = (parent: string, purpose: string): string => {
  for (const name of readdirSync(parent)) if (isLeft(name)) rmSync(join(parent, name), { recursive: true, force: true })
  const folder = join(parent, `${purpose}-${process.pid}-${++made}`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  return folder
}

const isLeft = (name: string): boolean => {
  const pid = Number(/^(?:load|replay)-(\d+)-\d+$/.exec(name)?.[1])
  if (Number.isNaN(pid) || pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return codeOf(error) === 'ESRCH'
  }
}
