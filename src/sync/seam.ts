// Where a process may die: every lasting effect of a sync passes one of these points, so that a test can end it there.

/** `flush`: journal bytes reach the disk · `call`: a vendor is about to be asked · `answer`: it has answered · `commit`: the warehouse
 * has what was folded or planned · `lease`: the lease changes · `clean`: files that are no longer needed go. */
export type SeamPoint = 'flush' | 'flushed' | 'call' | 'answer' | 'commit' | 'lease' | 'clean'

/** Called at each point; a test throws there, and at every later point, as a dead process would do nothing any more. */
export type Seam = (point: SeamPoint) => void

export const noSeam: Seam = () => undefined
