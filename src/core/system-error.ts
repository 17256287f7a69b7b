// What the system throws when a file cannot be written, as an error that a person can act on. Where a step knows more, it says more
// itself; this is for all the other places.
import { CdpError, reasonOf } from './errors.ts'

const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])
const refused = new Set(['EACCES', 'EPERM', 'EROFS'])

/** DISK_FULL or FILE_REFUSED for an error of the system that means one of these; anything else as it is. */
export const fromSystem = (thrown: unknown): unknown => {
  if (!(thrown instanceof Error) || !('code' in thrown) || !('syscall' in thrown)) return thrown
  const code = String(thrown.code)
  if (full.has(code)) return new CdpError('DISK_FULL', { reason: reasonOf(thrown) }, { cause: thrown })
  if (refused.has(code)) return new CdpError('FILE_REFUSED', { reason: reasonOf(thrown) }, { cause: thrown })
  return thrown
}
