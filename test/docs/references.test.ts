import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { references } from './references.ts'

const repository = new URL('../..', import.meta.url)

describe('the reference pages', () => {
  it('say what the code says (UPDATE_DOCS=1 writes them)', async () => {
    for (const [page, text] of await references()) {
      const file = new URL(page, repository)
      if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(file, text)
      expect(existsSync(file) && readFileSync(file, 'utf8'), page).toBe(text)
    }
  })

  it('leave no option without a word about it', async () => {
    const options = (await references()).get('docs/options.md') ?? ''
    const rows = options.split('\n').filter((line) => line.startsWith('| `'))
    expect(rows.length).toBeGreaterThan(30)
    expect(rows.filter((row) => / \|\s*\|$/.test(row))).toEqual([])
  })
})
