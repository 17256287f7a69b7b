// A file that cannot be read, in words.
import { CdpError, isCdpError, reasonOf } from '../core/errors.ts'
import { codeOf } from './errno.ts'

const words: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there any more',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  Z_BUF_ERROR: 'it is compressed and was cut off',
  Z_DATA_ERROR: 'it is damaged, or not compressed with gzip',
}

/** STREAM_UNREADABLE for what the system, the compression or the engine says of a file; anything else as it is. */
export const unreadable = (file: string, error: unknown): unknown => {
  const code = codeOf(error)
  if (isCdpError(error) && error.code !== 'QUERY_FAILED') return error
  const [first = ''] = reasonOf(error)
    .replace(/^A statement failed: /, '')
    .split('\n')
  const known = code === undefined ? undefined : words[code]
  if (!isCdpError(error) && known === undefined && !/^[A-Z_]+$/.test(code ?? '')) return error
  return new CdpError('STREAM_UNREADABLE', { file, reason: known ?? first.replace(/\.$/, '') }, { cause: error })
}

/** Whether the engine has refused to read something. */
export const refused = (error: unknown): boolean => isCdpError(error) && error.code === 'QUERY_FAILED'
