// Dates, instants and decimals as the seam's texts. Plain arithmetic: a Date object a value would dominate reading a result.

const days = { text: '', number: Number.NaN }

const pad = (value: number, width: number): string => String(value).padStart(width, '0')

// Days since 1970 to `YYYY-MM-DD`; values of a column tend to share their day, so the last one is kept.
const dayText = (day: number): string => {
  if (day !== days.number) {
    days.text = new Date(day * 86_400_000).toISOString().slice(0, 10)
    days.number = day
  }
  return days.text
}

// 0001-01-01 and 9999-12-31: outside, and for infinity, the engine's own text is given.
const [firstDay, lastDay] = [-719_162, 2_932_896]

export const dateText = (date: { readonly days: number }): string =>
  date.days < firstDay || date.days > lastDay ? String(date) : dayText(date.days)

const [firstMicro, lastMicro] = [BigInt(firstDay) * 86_400_000_000n, BigInt(lastDay + 1) * 86_400_000_000n - 1n]

/** `2026-10-01T08:00:00Z`, with as many fraction digits as it has. */
export const timestampText = (timestamp: { readonly micros: bigint }): string => {
  const { micros } = timestamp
  if (micros < firstMicro || micros > lastMicro) return String(timestamp)
  const seconds = Number(micros >= 0n ? micros / 1_000_000n : (micros - 999_999n) / 1_000_000n)
  const fraction = Number(micros - BigInt(seconds) * 1_000_000n)
  const day = Math.floor(seconds / 86_400)
  const second = seconds - day * 86_400
  const time = `${pad(Math.floor(second / 3600), 2)}:${pad(Math.floor(second / 60) % 60, 2)}:${pad(second % 60, 2)}`
  return `${dayText(day)}T${time}${fraction === 0 ? '' : `.${pad(fraction, 6).replace(/0+$/, '')}`}Z`
}

/** All digits after the point, as the type says: `1.10`. */
export const decimalText = (scaled: bigint, scale: number): string => {
  if (scale === 0) return String(scaled)
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(scale + 1, '0')
  const at = digits.length - scale
  return `${scaled < 0n ? '-' : ''}${digits.slice(0, at)}.${digits.slice(at)}`
}
