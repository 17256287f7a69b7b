import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { kindOfError } from '../../src/core/exit.ts'
import { fromSystem } from '../../src/core/system-error.ts'

const thrownBy = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return error
  }
}

describe('what the system throws', () => {
  it('is an error a person can act on when a disk is full or a file refused', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    })
    expect(fromSystem(full)).toMatchObject({ code: 'DISK_FULL', kind: 'transient', cause: full })
    const refused = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', syscall: 'open' })
    expect([kindOfError(full), kindOfError(refused)]).toEqual(['transient', 'config'])
  })

  it('is left as it is where it means something else', () => {
    const missing = thrownBy(() => readFileSync('/nowhere/at/all'))
    expect(fromSystem(missing)).toBe(missing)
    expect(kindOfError(thrownBy(() => writeFileSync('/nowhere/at/all', '')))).toBe('bug')
    expect(fromSystem('text')).toBe('text')
  })
})
