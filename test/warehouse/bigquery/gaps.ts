export const gaps: Readonly<Record<string, string>> = {}
