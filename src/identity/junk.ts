// Which identifier values identify nobody.
import type { Warehouse } from '../warehouse/warehouse.ts'

// Calling codes are prefix-free: 1 and 7, these, and else three digits (ITU-T E.164, zones of the assigned codes).
const twoDigitCodes =
  '20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98'

/**
 * A predicate over a text that is neither null nor empty: the engine's junk (`cdp.is_junk`), the project's own words (`extra`, compared
 * in lower case), and a phone number in E.164 form that is one digit again and again after its country code.
 * A plain number of less than eight digits, such as 11111, is a customer number and no junk, zeros apart.
 */
export const isJunk = (warehouse: Warehouse, value: string, extra: readonly string[]): string => {
  const known = `${warehouse.name({ schema: 'cdp', name: 'is_junk' })}(${value})`
  const short = `length(${value}) < 8 and translate(${value}, '0123456789', '') = '' and replace(${value}, '0', '') <> ''`
  const words = extra.map((word) => warehouse.literal(word.trim().toLowerCase()))
  const own = words.length === 0 ? '' : ` or lower(${value}) in (${words.join(', ')})`
  return `((${known} and not (${short})) or ${repeatedNumber(value)}${own})`
}

const repeatedNumber = (value: string): string => {
  const digits = `translate(substr(${value}, 2), ' -().', '')`
  const code = `(case when substr(${value}, 2, 1) in ('1', '7') then 2 when substr(${value}, 2, 2) in (${twoDigitCodes
    .split(' ')
    .map((two) => `'${two}'`)
    .join(', ')}) then 3 else 4 end)`
  const rest = `substr(${digits}, ${code})`
  return `(substr(${value}, 1, 1) = '+' and length(${rest}) >= 7 and replace(${rest}, substr(${rest}, 1, 1), '') = '')`
}
