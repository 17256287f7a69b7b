// What the engine throws, as errors a person can act on. The engine is told to speak JSON (`errors_as_json`), which carries
// the kind of error, the system's errno and the position; its plain text has none of them reliably.
import { CdpError, reasonOf } from '../../core/errors.ts'

export interface EngineError {
  readonly type: string
  readonly message: string
  readonly errno: number | undefined
  /** From the start of the statement, in bytes of UTF-8; of a Parser error in code points. */
  readonly position: number | undefined
}

export const parseEngineError = (thrown: unknown): EngineError => {
  const text = reasonOf(thrown)
  const start = text.indexOf('{')
  try {
    const fields = JSON.parse(text.slice(start)) as Record<string, string | undefined>
    if (fields['exception_message'] !== undefined) {
      return {
        type: fields['exception_type'] ?? '',
        message: fields['exception_message'].trim(),
        errno: fields['errno'] === undefined ? undefined : Number(fields['errno']),
        position: fields['position'] === undefined ? undefined : Number(fields['position']),
      }
    }
  } catch {
    // Not JSON: thrown by the driver itself, before the engine saw the statement.
  }
  return { type: '', message: text, errno: undefined, position: undefined }
}

const codePoints = (text: string): number => text.length - (text.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0)

/** Line and column (from 1, column in code points) of a byte offset. */
export const lineAndColumn = (sql: string, byteOffset: number): { line: number; column: number } => {
  const before = Buffer.from(sql, 'utf8').subarray(0, byteOffset).toString('utf8')
  const lineStart = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length, column: codePoints(before.slice(lineStart)) + 1 }
}

// ENOSPC, EDQUOT, EFBIG on Linux and macOS; ERROR_DISK_FULL on Windows.
const fullErrnos = new Set([28, 122, 69, 27, 112])

export const isFull = (error: EngineError): boolean =>
  (error.errno !== undefined && fullErrnos.has(error.errno)) ||
  /no space left on device|disk quota exceeded|file too large|max_temp_directory_size/i.test(error.message)

// Measured: the engine's parser counts code points, its binder bytes.
const bytesBefore = (sql: string, position: number, type: string): number =>
  type === 'Parser' ? Buffer.byteLength(Array.from(sql).slice(0, position).join('')) : position

/** WAREHOUSE_FULL or QUERY_FAILED; what is a CdpError already stays as it is. `prefix` was executed before `sql`. */
export const statementError = (thrown: unknown, sql: string, prefix = ''): CdpError => {
  if (thrown instanceof CdpError) return thrown
  const error = parseEngineError(thrown)
  if (isFull(error)) return new CdpError('WAREHOUSE_FULL', { reason: error.message }, { cause: thrown })
  const position = error.position === undefined ? -1 : error.position - prefix.length
  const place = position < 0 ? {} : lineAndColumn(sql, bytesBefore(sql, position, error.type))
  const reason = error.type === '' ? error.message : `${error.message} (${error.type} error)`
  return new CdpError('QUERY_FAILED', { reason, sql, ...place }, { cause: thrown })
}

/** Who holds the lock, from the engine's refusal; undefined when it was refused for another reason. */
export const lockHolder = (error: EngineError): string | undefined => {
  if (!/could not set lock on file|used by another process|is already open in/i.test(error.message)) return undefined
  const found = /(?:held in|open in)\s+(.+?)\s*\(PID (\d+)\)/is.exec(error.message)
  if (found) return `${found[1]} (pid ${found[2]})`
  const pid = /PID (\d+)/i.exec(error.message)
  return pid ? `another program (pid ${pid[1]})` : 'another program'
}
