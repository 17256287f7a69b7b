// Amounts of data as people write and read them.

const units: Readonly<Record<string, number>> = {
  '': 1,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  KI: 2 ** 10,
  MI: 2 ** 20,
  GI: 2 ** 30,
  TI: 2 ** 40,
}

/** `50 GB` is 50,000,000,000 bytes, `50 GiB` 53,687,091,200; undefined when it is no amount of data. */
export const parseByteSize = (text: string): number | undefined => {
  const [, amount, unit] = /^\s*(\d+(?:\.\d+)?)\s*([KMGT]i?)?B?\s*$/i.exec(text) ?? []
  const factor = units[(unit ?? '').toUpperCase()]
  return amount === undefined || factor === undefined ? undefined : Math.floor(Number(amount) * factor)
}

/** `1.2 GB`; units of a thousand. */
export const formatByteSize = (bytes: number): string => {
  const [unit, factor] = (
    [
      ['TB', 1e12],
      ['GB', 1e9],
      ['MB', 1e6],
      ['kB', 1e3],
    ] as const
  ).find(([, least]) => bytes >= least) ?? ['bytes', 1]
  const amount = bytes / factor
  return `${factor === 1 || amount >= 100 ? Math.round(amount) : amount.toFixed(1)} ${unit}`
}
