// The instants of the story and how each source writes a time. Nothing in the generator reads the real clock.

/** "Now" of day 1: the last evening of October. */
export const DAY_1_NOW = '2026-10-31T23:00:00+07:00'
/** "Now" of day 2, one day later. */
export const DAY_2_NOW = '2026-11-01T23:00:00+07:00'

export const HOUR = 3_600_000
export const DAY = 24 * HOUR
export const dayOne = Date.parse(DAY_1_NOW)
export const dayTwo = Date.parse(DAY_2_NOW)

const OFFSET = 7 * HOUR
const local = (at: number): string => new Date(at + OFFSET).toISOString()

/** `2026-10-31T23:00:00+07:00`: the web shop, the CRM. */
export const withOffset = (at: number): string => `${local(at).slice(0, 19)}+07:00`
/** `2026-10-31 23:00:00`, Vietnamese time without saying so: the tills. */
export const withoutZone = (at: number): string => local(at).slice(0, 19).replace('T', ' ')
/** `2026-10-31T16:00:00.000Z`: the newsletter tool, the web tracker. */
export const utc = (at: number): string => new Date(at).toISOString()
/** `2026-10`, the month in Vietnam. */
export const month = (at: number): string => local(at).slice(0, 7)
/** Midnight in Vietnam of the day that holds `at`. */
export const midnight = (at: number): number => Math.floor((at + OFFSET) / DAY) * DAY - OFFSET
