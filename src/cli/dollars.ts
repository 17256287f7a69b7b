// An estimate of money, as a person reads it.
export const dollars = (usd: number): string => (usd > 0 && usd < 0.01 ? '< 0.01' : usd.toFixed(2))
