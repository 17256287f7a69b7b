// What a load did, in numbers.

export interface Counts {
  readonly fresh: number
  readonly changed: number
  readonly unchanged: number
  readonly vanished: number
}

/** As in cdp.loads. */
export interface LoadResult {
  readonly loadId: string
  /** The content or the columns of the raw relation are not what they were. */
  readonly changed: boolean
  readonly files: number
  readonly bytes: number
  /** Records read, those for quarantine among them. */
  readonly rowsRead: number
  readonly rowsNew: number
  readonly rowsChanged: number
  readonly rowsUnchanged: number
  readonly rowsVanished: number
  readonly rowsQuarantined: number
  /** Read, but older than another row of the same key in the same load. */
  readonly rowsSuperseded: number
  /** In the raw relation after the load. */
  readonly rowsTotal: number
}
