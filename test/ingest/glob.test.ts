import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findFiles } from '../../src/ingest/glob.ts'

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'cdp-glob-'))
  for (const file of [
    'a.csv',
    'b.csv',
    'b.csv.gz',
    '.hidden.csv',
    'd/e.csv',
    'd/f/g.csv',
    'd/.x/h.csv',
    'x[1].csv',
    'it+s (1).csv',
    'Ä.csv',
  ]) {
    mkdirSync(join(root, file, '..'), { recursive: true })
    writeFileSync(join(root, file), file)
  }
  symlinkSync(join(root, 'd'), join(root, 'link'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

const found = (pattern: string): string[] => findFiles(root, pattern).map(({ file }) => file)

describe('a pattern of files', () => {
  it('matches within a folder, sorted, hidden files left out', () => {
    expect(found('*.csv')).toEqual(['a.csv', 'b.csv', 'it+s (1).csv', 'x[1].csv', 'Ä.csv'])
    expect(found('./?.csv')).toEqual(['a.csv', 'b.csv', 'Ä.csv'])
    expect(found('.*.csv')).toEqual(['.hidden.csv'])
    expect(found('[ab].csv*')).toEqual(['a.csv', 'b.csv', 'b.csv.gz'])
    expect(found('[!a].csv')).toEqual(['b.csv', 'Ä.csv'])
    expect(found('{b,a}.csv{,.gz}')).toEqual(['a.csv', 'b.csv', 'b.csv.gz'])
    expect(found('x[1].csv')).toEqual(['x[1].csv'])
    expect(found('it+s (1).*')).toEqual(['it+s (1).csv'])
  })

  it('goes through folders, links to folders too', () => {
    expect(found('d/*.csv')).toEqual(['d/e.csv'])
    expect(found('**/g.csv')).toEqual(['d/f/g.csv', 'link/f/g.csv'])
    expect(found('d/**/*.csv')).toEqual(['d/e.csv', 'd/f/g.csv'])
    expect(found('*/e.csv')).toEqual(['d/e.csv', 'link/e.csv'])
    expect(found(`${root}/d/*.csv`)).toEqual([`${root}/d/e.csv`])
  })

  it('gives nothing where nothing is', () => {
    expect(found('nowhere/*.csv')).toEqual([])
    expect(found('a.csv/*.csv')).toEqual([])
    expect(found('no.csv')).toEqual([])
    expect(found('d')).toEqual([])
  })

  it('without a wildcard is a file with size and time', () => {
    expect(findFiles(root, 'd/e.csv')).toEqual([
      { file: 'd/e.csv', path: join(root, 'd/e.csv'), bytes: 7, modifiedMs: expect.any(Number) as number },
    ])
  })
})
