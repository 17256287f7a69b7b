// Who is told what, and in which form: data on stdout, talk on stderr, no secret on either.
import { PassThrough } from 'node:stream'
import { text as readText } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { createOutput, type Output, type OutputOptions } from '../../src/cli/output.ts'
import { createProgress } from '../../src/cli/progress.ts'
import { CdpError, Problems } from '../../src/core/errors.ts'
import { env, resolve } from '../../src/core/secret.ts'

interface Told {
  readonly out: string
  readonly err: string
}

const told = async (
  work: (output: Output) => void,
  { terminal = false, ...options }: Partial<OutputOptions> & { readonly terminal?: boolean } = {},
): Promise<Told> => {
  const stream = () => Object.assign(new PassThrough(), { isTTY: terminal, columns: 80 })
  const [stdout, stderr] = [stream(), stream()]
  work(createOutput({ stdout, stderr }, { json: false, quiet: false, color: false, ...options }))
  stdout.end()
  stderr.end()
  return { out: await readText(stdout), err: await readText(stderr) }
}

describe('output', () => {
  it('is NDJSON in a pipe and under --json, a table at a terminal', async () => {
    const rows = [{ name: 'Nguyễn Văn An', spent: 1_250_000, big: 9_007_199_254_740_993n, none: null }]
    const lines = '{"name":"Nguyễn Văn An","spent":1250000,"big":"9007199254740993","none":null}\n'
    expect(await told((output) => output.rows(rows))).toEqual({ out: lines, err: '' })
    expect((await told((output) => output.rows(rows), { terminal: true, json: true })).out).toBe(lines)
    const table = await told((output) => output.rows(rows, (all) => all.map(({ name, spent }) => ({ name, spent }))), {
      terminal: true,
    })
    expect(table.out).toBe('name               spent\n─────────────  ─────────\nNguyễn Văn An  1,250,000\n')
  })

  it('tells a story to people and its facts to programs', async () => {
    const tell = (output: Output): void => output.story('Good: 3 models.', { models: 3 })
    expect((await told(tell)).out).toBe('{"models":3}\n')
    expect((await told(tell, { terminal: true })).out).toBe('Good: 3 models.\n')
  })

  it('keeps talk off stdout, and is silent when told to but for errors', async () => {
    const talk = (output: Output): void => {
      output.note('working')
      output.error(new CdpError('SELECTOR_UNKNOWN', { selector: 'x', near: '' }))
    }
    const loud = await told(talk)
    expect(loud.out).toBe('')
    expect(loud.err).toMatch(/^working\nerror Nothing in the project is called "x"\. \[SELECTOR_UNKNOWN\]\n {2}next /)
    expect((await told(talk, { quiet: true })).err).toMatch(/^error /)
  })

  it('shows problems together with their places, and colours only where it may', async () => {
    const place = { file: 'models/a.sql', line: 3, column: 7 }
    const problems = new Problems([
      new CdpError('SELECTOR_UNKNOWN', { selector: 'x', near: '' }, { place }),
      new CdpError('SCHEDULE_INVALID', { expression: 'y' }, { place: { file: 'cdp.config.ts' } }),
    ])
    const plain = (await told((output) => output.error(problems))).err
    expect(plain).toMatch(
      /^models\/a\.sql:3:7\nerror .*\n.*\ncdp\.config\.ts\nerror .*\n.*\n2 problems found; nothing was run\.\n$/,
    )
    expect((await told((output) => output.error(problems), { color: true })).err).toContain('\u001B[31merror\u001B[0m')
  })

  it('takes what it does not know for a fault of ours, with its stack', async () => {
    const { err } = await told((output) => output.error(new TypeError('x is not a function')))
    expect(err).toMatch(/^bug x is not a function\nTypeError: x is not a function\n {4}at /)
    expect(err).toContain('please report it')
  })

  it('lets no secret out, whichever way it goes', async () => {
    process.env['CDP_TEST_OUTPUT_SECRET'] = 'sesame-open-up'
    try {
      const secret = resolve(env('CDP_TEST_OUTPUT_SECRET'))
      const { out, err } = await told((output) => {
        output.rows([{ reason: `token ${secret} refused` }])
        output.story(secret, { secret })
        output.note(`trying ${secret}`)
        output.error(new Error(`with ${secret}`))
        output.raw(secret)
      })
      expect(out + err).not.toContain(secret)
      expect(out).toContain('[secret CDP_TEST_OUTPUT_SECRET]')
    } finally {
      delete process.env['CDP_TEST_OUTPUT_SECRET']
    }
  })
})

describe('progress', () => {
  const step = { step: 'people', kind: 'identity' } as const
  it('is a line for each finished step in a log, but for those that were unchanged', async () => {
    const { err } = await told((output) => {
      const { emit } = createProgress(output)
      emit({ type: 'step-started', ...step })
      emit({ type: 'progress', step: 'people', done: 10, unit: 'rows' })
      emit({ type: 'step-finished', ...step, status: 'done', ms: 1234, rows: 1, detail: '1 person' })
      emit({ type: 'step-finished', step: 'sums', kind: 'table', status: 'unchanged', ms: 0 })
      emit({ type: 'step-finished', step: 'vip', kind: 'segment', status: 'failed', ms: 5, detail: 'no such column' })
      emit({ type: 'warning', step: 'vip', message: 'look at this', hint: 'here' })
    })
    expect(err.split('\n')).toEqual([
      '✓ identity people 1 row (1 person) 1.2 s',
      '✗ segment vip: no such column',
      '! vip: look at this — here',
      '',
    ])
  })

  it('is one live line at a terminal, with a bar where the end is known, and gone at the end', async () => {
    const { err } = await told(
      (output) => {
        const progress = createProgress(output)
        progress.emit({ type: 'step-started', ...step })
        progress.emit({ type: 'progress', step: 'people', done: 50, total: 200, unit: 'rows' })
        progress.end()
      },
      { terminal: true },
    )
    const clear = '\r\u001B[K'
    expect(err).toBe(`identity people${clear}people █████░░░░░░░░░░░░░░░ 50/200 rows${clear}`)
  })
})
