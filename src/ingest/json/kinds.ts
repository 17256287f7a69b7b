// Kinds of JSON values as bits, so that one number says which of them occur in a column.

/** `integer` is a number without a fraction, `nested` an object or array. */
export const jsonKinds = { string: 1, boolean: 2, integer: 4, number: 8, nested: 16 } as const
