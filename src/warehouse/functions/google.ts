// Fragments of GoogleSQL that several functions share.

/** A pattern as a raw string, in which a backslash is one. Patterns have no single quote. */
export const re = (pattern: string): string => `r'${pattern}'`

/** The text if all of it has the shape, else null. */
export const shapedText = (text: string, shape: string): string => `regexp_extract(${text}, ${re(`^(?:${shape})$`)})`

/** The value as text: of every type but arrays, structs and JSON, for which the service refuses the call. */
export const STRING = 'cast(value as string)'
