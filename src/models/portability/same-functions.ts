// Functions that mean the same on both engines, each with calls whose values a test compares. What is not here is named by the check.

/** Name -> calls. */
export const sameFunctions: Readonly<Record<string, readonly string[]>> = {
  // aggregates
  count: [
    '(select count(distinct a) from (select 1 as a union all select 1))',
    '(select count(*) from (select 1 as a))',
  ],
  countif: ['(select countif(a > 1) from (select 1 as a union all select 2))'],
  sum: ['(select sum(a) from (select 1 as a union all select null))'],
  min: [`(select min(a) from (select 'b' as a union all select 'A'))`],
  max: ['(select max(a) from (select true as a union all select false))'],
  stddev: ['(select stddev(a) from (select 1 as a union all select 2 union all select 4))'],
  stddev_samp: ['(select stddev_samp(a) from (select 1 as a union all select 2 union all select 4))'],
  stddev_pop: ['(select stddev_pop(a) from (select 1 as a union all select 2 union all select 4))'],
  variance: ['(select variance(a) from (select 1 as a union all select 2 union all select 4))'],
  var_samp: ['(select var_samp(a) from (select 1 as a union all select 2 union all select 4))'],
  var_pop: ['(select var_pop(a) from (select 1 as a union all select 2 union all select 4))'],
  string_agg: [
    `(select string_agg(distinct a, ',' order by a desc) from (select 'a' as a union all select 'b' union all select null))`,
  ],
  array_agg: [`(select array_agg(a order by a desc) from (select 'a' as a union all select 'b'))`],

  // windows
  row_number: ['(select max(n) from (select row_number() over (order by a desc) as n from (select 1 as a)))'],
  rank: ['(select max(n) from (select rank() over (order by a desc) as n from (select 1 as a)))'],
  dense_rank: ['(select max(n) from (select dense_rank() over (order by a desc) as n from (select 1 as a)))'],
  percent_rank: ['(select max(n) from (select percent_rank() over (order by a desc) as n from (select 1 as a)))'],
  cume_dist: ['(select max(n) from (select cume_dist() over (order by a desc) as n from (select 1 as a)))'],
  ntile: ['(select max(n) from (select ntile(2) over (order by a nulls last) as n from (select 1 as a)))'],
  lag: ['(select max(n) from (select lag(a, 1, 7) over (order by a desc) as n from (select 1 as a)))'],
  lead: ['(select max(n) from (select lead(a) over (order by a desc) as n from (select 1 as a)))'],
  first_value: [
    '(select max(n) from (select first_value(a ignore nulls) over (order by a desc) as n from (select 1 as a)))',
  ],
  last_value: ['(select max(n) from (select last_value(a) over (order by a desc) as n from (select 1 as a)))'],
  nth_value: ['(select max(n) from (select nth_value(a, 1) over (order by a desc) as n from (select 1 as a)))'],

  // choices
  coalesce: ['coalesce(null, 1)'],
  nullif: ['nullif(1, 1)'],
  ifnull: ['ifnull(null, 1)'],
  if: [`if(1 = 1, 'a', null)`],

  // text
  lower: [`lower('ĐÀ NẴNG')`],
  upper: [`upper('đà nẵng')`],
  length: [`length('Nguyễn 🎉')`, `length('e' || chr(769))`],
  char_length: [`char_length('Nguyễn')`],
  character_length: [`character_length('Nguyễn')`],
  replace: [`replace('aXbX', 'X', 'yy')`, `replace('abc', '', 'y')`],
  substr: [`substr('Nguyễn', 2, 3)`, `substr('abc', 4)`],
  substring: [`substring('Nguyễn', 2, 3)`],
  left: [`left('Nguyễn', 2)`],
  right: [`right('Nguyễn', 2)`],
  starts_with: [`starts_with('abc', 'ab')`],
  ends_with: [`ends_with('abc', 'bc')`],
  strpos: [`strpos('banana', 'an')`, `strpos('abc', '')`],
  instr: [`instr('banana', 'an')`, `instr('banana', 'x')`],
  split: [`split('a,b', ',')`, `split('', ',')`],
  trim: [`trim('xxaxx', 'x')`],
  ltrim: [`ltrim('xxaxx', 'x')`],
  rtrim: [`rtrim('xxaxx', 'x')`],
  lpad: [`lpad('ab', 4, 'x')`, `lpad('abcd', 2, 'x')`],
  rpad: [`rpad('ab', 4, 'x')`],
  repeat: [`repeat('ab', 2)`],
  translate: [`translate('abc', 'ab', 'x')`],
  chr: ['chr(273)'],

  // numbers
  abs: ['abs(-3)', 'abs(-3.5)'],
  sign: ['sign(-3)'],
  floor: ['floor(-3.5)', 'floor(3)'],
  ceil: ['ceil(-3.5)'],
  ceiling: ['ceiling(3.2)'],
  trunc: ['trunc(-3.7)', 'trunc(3.77, 1)'],
  mod: ['mod(7, 3)', 'mod(-7, 3)'],
  sqrt: ['sqrt(2)'],
  power: ['power(2, 10)'],
  pow: ['pow(2, 0.5)'],
  exp: ['exp(1)'],
  ln: ['ln(10)'],
  log10: ['log10(1000)'],

  // dates and arrays
  date: [`date(timestamp '2026-10-04 23:00:00')`],
  last_day: [`last_day(date '2026-10-04')`],
  array: ['array(select 1 as a)'],
  array_length: ['array_length([1, 2])'],
  array_concat: ['array_concat([1], [2])'],
  array_reverse: ['array_reverse([1, 2])'],
  array_to_string: [`array_to_string(['a', null, 'b'], ',')`],
}
