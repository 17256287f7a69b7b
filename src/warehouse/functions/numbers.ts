// Arithmetic on which the engines differ: half-way rounding, division by zero, nulls in greatest and least.
import { parameters, type FunctionTheme } from './function.ts'

// Digits one by one: not every engine rounds a decimal to a number of digits that is no literal, or is negative. Beyond 9 there is
// nothing to round.
const toDigits = Array.from({ length: 10 }, (_, digits) => `when ${digits} then safe.round(number, ${digits})`)
const toPowers = Array.from({ length: 9 }, (_, at) => {
  const power = `numeric '1${'0'.repeat(at + 1)}'`
  const rest = `mod(trunc(number), ${power})`
  return `when ${-at - 1} then safe_add(trunc(number) - ${rest}, if(abs(${rest}) * 2 >= ${power}, sign(number) * ${power}, 0))`
})
const ROUNDED = `safe_cast((select case digits ${[...toDigits, ...toPowers].join(' ')} else if(digits > 9, number, null) end
  from (select cdp.safe_decimal(value) as number)) as numeric)`

export const numbers: FunctionTheme = {
  title: 'Numbers',
  functions: [
    {
      name: 'round_half_up',
      params: parameters({ value: 'any', digits: 'integer' }),
      returns: 'decimal',
      description:
        'A number rounded to so many decimals, half away from zero, in decimal arithmetic: 2.675 is 2.68 and -2.5 is -3. ' +
        'The value is read by `safe_decimal`; `digits` is a constant, negative ones round to tens and hundreds.',
      example: { sql: 'cdp.round_half_up(2.675, 2)', result: '2.68' },
      duckdb: 'try_cast(round(cdp.safe_decimal(value), digits) as decimal(38, 9))',
      bigquery: ROUNDED,
    },
    {
      name: 'safe_divide',
      params: parameters({ dividend: 'any', divisor: 'any' }),
      returns: 'double',
      description: 'The quotient as a double; null if the divisor is zero.',
      example: { sql: 'cdp.safe_divide(7, 2)', result: '3.5' },
      duckdb: 'cdp.safe_double(dividend) / nullif(cdp.safe_double(divisor), 0)',
      bigquery: 'safe_divide(cdp.safe_double(dividend), cdp.safe_double(divisor))',
    },
    {
      name: 'int_divide',
      params: parameters({ dividend: 'any', divisor: 'any' }),
      returns: 'integer',
      description: 'The whole part of the quotient of two integers, cut towards zero; null if the divisor is zero.',
      example: { sql: 'cdp.int_divide(-7, 2)', result: '-3' },
      duckdb: 'try(cdp.safe_int(dividend) // nullif(cdp.safe_int(divisor), 0))',
      bigquery: `(select if(b = -1, safe_subtract(0, a), div(a, nullif(b, 0)))
  from (select cdp.safe_int(dividend) as a, cdp.safe_int(divisor) as b))`,
    },
  ],
}
