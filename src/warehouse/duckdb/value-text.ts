// Dates, instants and decimals as the seam's texts. Plain arithmetic: a Date object a value would dominate reading a result.

const pad = (value: number, width: number): string => String(value).padStart(width, '0')

// 0001-01-01 and 9999-12-31. What lies outside is written with its sign, as ISO 8601 does; the engine's year 0 is -0000 there.
const [firstDay, lastDay] = [-719_162, 2_932_896]

const last = { day: Number.NaN, text: '' }

// Values of a column tend to share their day, so the last one is kept.
const dayText = (day: number): string => {
  if (day === last.day) return last.text
  last.day = day
  last.text = new Date(day * 86_400_000).toISOString().replace(/T.*$/, '')
  return last.text
}

// The engine's marks for infinity, and days beyond what JavaScript's Date can say (±271,821 years).
const beyond = (value: number, positive: number, negative: number): string | undefined => {
  if (value === positive) return 'infinity'
  return value === negative ? '-infinity' : undefined
}

/** `2026-10-01` from days since 1970. */
export const dateText = (day: number): string =>
  day >= firstDay && day <= lastDay ? dayText(day) : (beyond(day, 2_147_483_647, -2_147_483_647) ?? farDay(day))

const farDay = (day: number): string => (Math.abs(day) <= 100_000_000 ? dayText(day) : `day ${day}`)

const unitsPerSecond = [1n, 1n, 1n, 1000n, 1n, 1n, 1_000_000n, 1n, 1n, 1_000_000_000n]
const maximum = 9_223_372_036_854_775_807n

/** `2026-10-01T08:00:00Z` with as many fraction digits as it has; `units` are 10^-`digits` seconds since 1970. */
export const timestampText = (units: bigint, digits: 0 | 3 | 6 | 9): string => {
  if (units === maximum) return 'infinity'
  if (units === -maximum) return '-infinity'
  const scale = unitsPerSecond[digits] ?? 1n
  const seconds = Number((units >= 0n ? units : units - scale + 1n) / scale)
  const fraction = Number(units - BigInt(seconds) * scale)
  const day = Math.floor(seconds / 86_400)
  return `${dateText(day)}T${clockText(seconds - day * 86_400)}${fractionText(fraction, digits)}Z`
}

const clockText = (second: number): string =>
  `${pad(Math.floor(second / 3600), 2)}:${pad(Math.floor(second / 60) % 60, 2)}:${pad(second % 60, 2)}`

const fractionText = (fraction: number, digits: number): string =>
  fraction === 0 ? '' : `.${pad(fraction, digits).replace(/0+$/, '')}`

/** `08:00:00.5` from microseconds since midnight. */
export const timeText = (micros: bigint): string => {
  const value = Number(micros)
  return `${clockText(Math.floor(value / 1e6))}${fractionText(value % 1e6, 6)}`
}

/** ISO 8601, `P1M2DT3.5S`. */
export const intervalText = (months: number, days: number, micros: bigint): string => {
  const seconds = micros === 0n ? '' : `T${decimalText(micros, 6).replace(/\.?0+$/, '')}S`
  const text = `${months === 0 ? '' : `${months}M`}${days === 0 ? '' : `${days}D`}${seconds}`
  return text === '' ? 'PT0S' : `P${text}`
}

/** The engine flips the first bit, so that its order as a number is the order as text. */
export const uuidText = (stored: bigint): string => {
  const hex = BigInt.asUintN(128, stored ^ (1n << 127n))
    .toString(16)
    .padStart(32, '0')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** All digits after the point, as the type says: `1.10`. */
export const decimalText = (scaled: bigint | number, scale: number): string => {
  if (scale === 0) return String(scaled)
  const sign = scaled < 0 ? '-' : ''
  const digits = String(scaled < 0 ? -scaled : scaled).padStart(scale + 1, '0')
  const at = digits.length - scale
  return `${sign}${digits.slice(0, at)}.${digits.slice(at)}`
}
