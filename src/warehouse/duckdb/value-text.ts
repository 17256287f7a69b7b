// Dates, instants and decimals as the seam's texts. Plain arithmetic: a Date object a value would dominate reading a result.

const pad = (value: number, width: number): string => String(value).padStart(width, '0')

// Years outside 0000 to 9999 have a sign and six digits, as ISO 8601 writes them.
const yearText = (year: number): string => {
  if (year >= 0 && year <= 9999) return pad(year, 4)
  return `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}`
}

// The proleptic Gregorian calendar by whole numbers: years are taken to begin in March, so that the leap day is the last of its
// year, and are counted within eras of 400 years, which are all 146,097 days long.
const calendar = (day: number): string => {
  const sinceMarch = day + 719_468
  const era = Math.floor(sinceMarch / 146_097)
  const ofEra = sinceMarch - era * 146_097
  const leapDays = Math.floor(ofEra / 1460) - Math.floor(ofEra / 36_524) + Math.floor(ofEra / 146_096)
  const yearOfEra = Math.floor((ofEra - leapDays) / 365)
  const ofYear = ofEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * ofYear + 2) / 153)
  const date = ofYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return `${yearText(yearOfEra + era * 400 + (month <= 2 ? 1 : 0))}-${pad(month, 2)}-${pad(date, 2)}`
}

const last = { day: Number.NaN, text: '' }

// Values of a column tend to share their day, so the last one is kept.
const dayText = (day: number): string => {
  if (day !== last.day) {
    last.day = day
    last.text = calendar(day)
  }
  return last.text
}

/** `2026-10-01` from days since 1970; the engine's marks for infinity as their words. */
export const dateText = (day: number): string => {
  if (day === 2_147_483_647) return 'infinity'
  return day === -2_147_483_647 ? '-infinity' : dayText(day)
}

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
  return `${dayText(day)}T${clockText(seconds - day * 86_400)}${fractionText(fraction, digits)}Z`
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
