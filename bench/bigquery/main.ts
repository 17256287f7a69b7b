// `npm run bench:bigquery [-- records]`: what the engine sends to BigQuery, counted against the stand-in. Counts and bytes, no seconds.
//   records    of the graph of persons, default 1000000; 0 leaves it out
//   --list     prints the statements of the run in which nothing changed as well
import { startProxy } from '../../test/bigquery/proxy.ts'
import { startEmulator } from '../../test/bigquery-emulator/emulator.ts'
import { measureDays, type Phase } from './days.ts'
import { openMeter, type Counted } from './meter.ts'
import { measurePersons, type Persons } from './persons.ts'

const list = process.argv.includes('--list')
const size = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 1_000_000)

const megabytes = (bytes: number): string => (bytes / 1e6).toLocaleString('en-US', { maximumFractionDigits: 2 })
const sum = (counted: readonly Counted[], of: (one: Counted) => number): number =>
  counted.reduce((total, one) => total + of(one), 0)
const number = (counted: readonly Counted[], ...kinds: readonly Counted['kind'][]): number =>
  counted.filter(({ kind }) => kinds.includes(kind)).length

type Line = Readonly<Record<string, string>>

const lineOf = (what: string, counted: readonly Counted[], rounds = ''): Line => ({
  what,
  statements: String(number(counted, 'select', 'change', 'definition', 'bracket')),
  selects: String(number(counted, 'select')),
  changes: String(number(counted, 'change')),
  definitions: String(number(counted, 'definition')),
  'begin, commit': String(number(counted, 'bracket')),
  loads: String(number(counted, 'load')),
  'dry runs': String(number(counted, 'dry run')),
  'MB read': megabytes(sum(counted, ({ bytes }) => bytes)),
  'MB billed': megabytes(sum(counted, ({ billed }) => billed)),
  rounds,
})

// By the first word of the step.
const partsOf = (counted: readonly Counted[]): ReadonlyMap<string, readonly Counted[]> => {
  const parts = new Map<string, Counted[]>()
  for (const one of counted) {
    const part = /^[a-z]+/.exec(one.step ?? '')?.[0] ?? 'the run itself'
    parts.set(part, [...(parts.get(part) ?? []), one])
  }
  return parts
}

const linesOf = ({ name, counted }: Phase): readonly Line[] => {
  const parts = partsOf(counted)
  const inner = parts.size > 1 ? [...parts].map(([part, own]) => lineOf(`  ${part}`, own)) : []
  return [lineOf(name, counted), ...inner]
}

const print = (lines: readonly Line[]): void => {
  const names = Object.keys(lines[0] ?? {})
  const widths = names.map((name) => Math.max(name.length, ...lines.map((line) => (line[name] ?? '').length)))
  const row = (cells: readonly string[]): string =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ')
  console.log(row(names))
  for (const line of lines) console.log(row(names.map((name) => line[name] ?? '')).trimEnd())
}

const standIn = await startEmulator()
if (typeof standIn === 'string') {
  console.error(`${standIn}.`)
  process.exitCode = 2
} else {
  const meter = await openMeter(standIn.url)
  const proxy = await startProxy(standIn.url)
  proxy.hook(meter.hook)
  try {
    const days = await measureDays(proxy.url, meter)
    const persons: readonly Persons[] =
      size === 0 ? [] : await measurePersons({ url: proxy.url, grpc: standIn.grpc }, meter, size)
    print([
      ...days.flatMap(linesOf),
      ...persons.map(({ name, counted, rounds }) => lineOf(name, counted, String(rounds))),
    ])
    console.log(
      '\nMB read: columns that a statement refers to, by the sizes BigQuery bills types by, partitions and clusters not taken off; MB billed: each relation that a statement reads for 10 MB at least. MB are 10^6 bytes. The stand-in itself says 0.',
    )
    for (const { name, counted } of [...days, ...persons]) {
      const logs = new Set(counted.flatMap(({ unbounded }) => unbounded))
      if (logs.size > 0)
        console.log(`${name}: reads without a filter on the day of its partitions ${[...logs].join(', ')}`)
      for (const { text, unknown } of counted)
        if (unknown !== undefined) console.log(`${name}: the bytes of a statement are not known (${unknown}): ${text}`)
      if (list && name === 'no-change run')
        for (const { step, text } of counted) console.log(`-- ${step ?? ''}\n${text};`)
    }
  } finally {
    await proxy.close()
    await meter.close()
    await standIn.stop()
  }
}
