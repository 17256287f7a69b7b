import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.ts'
import type { CompiledProject, CompiledStream } from '../../src/project/compiled.ts'
import { sniffStream } from '../../src/run/sniff.ts'

describe('a look at files that have not landed', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'cdp-sniff-test-'))
    mkdirSync(join(root, 'data'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const sniff = (path: string, more: Partial<CompiledStream> = {}) =>
    sniffStream(
      { root, timeZone: 'UTC' } as CompiledProject,
      { id: 'shop.customers', relation: 'shop_customers', from: { kind: 'scan', path }, secrets: [], ...more },
      systemClock,
    )

  it('gives the columns of all files together, named and typed as landing would', async () => {
    writeFileSync(join(root, 'data/a.csv'), 'id,Full Name,points\n01,An,5\n')
    writeFileSync(join(root, 'data/b.csv'), 'id,Full Name,points,birthday\n02,Binh,7,1990-01-02\n')
    const columns = await sniff('data/*.csv', { key: ['id'] })
    expect(columns?.map(({ name }) => name)).toEqual(['id', 'Full_Name', 'points', 'birthday'])
    expect(Object.fromEntries((columns ?? []).map(({ name, type }) => [name, type]))).toMatchObject({
      id: 'text',
      points: 'integer',
    })
  })

  it('reads only the head of a long file, and never half a line', async () => {
    const line = `${'x'.repeat(99)},1\n`
    writeFileSync(join(root, 'data/long.csv'), `text,n\n${line.repeat(5000)}`)
    expect(await sniff('data/long.csv')).toEqual([
      { name: 'text', type: 'text' },
      { name: 'n', type: 'integer' },
    ])
  })

  it('says nothing where there is no file', async () => {
    expect(await sniff('data/*.csv')).toBeUndefined()
  })
})
