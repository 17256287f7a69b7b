// JSON files that are no lines: one array, or documents one after the other. The engine's reader divides them into records.
import { literal } from '../../warehouse/duckdb/text.ts'
import type { Work } from '../stage.ts'
import { unreadable } from '../unreadable.ts'
import type { TextInput } from './lines.ts'

/** A record may be this long, in bytes. */
const longest = 256 * 1024 * 1024

/** A relation `text`, `_cdp_file`. Throws STREAM_UNREADABLE, naming the file. */
export const readDocuments = async (work: Work, inputs: readonly TextInput[], table: string): Promise<void> => {
  const { reader } = work
  await reader.run(`create temp table ${table} (text varchar, _cdp_file integer)`)
  for (const [index, { path, file }] of inputs.entries()) {
    work.signal.throwIfAborted()
    try {
      // An array after a byte-order mark is not taken apart by the reader itself.
      await reader.run(
        `insert into ${table}
          select unnest(case when json_type(json) = 'ARRAY' then json_extract(json, '$[*]') else [json] end), ${index}
          from read_json_objects(${literal(path)}, format = 'auto', maximum_object_size = ${longest})`,
      )
    } catch (error) {
      throw unreadable(file ?? 'a page', error)
    }
  }
}
