// Rows of a table by the Storage Read API: one stream, so that a result keeps its order, and the next message only when it is asked for.
import type { Batch } from '../warehouse.ts'
import type { Api } from './api.ts'
import { arrowReader } from './arrow.ts'
import type { Field } from './schema.ts'
import { type Storage, storageError } from './storage.ts'

export interface TableReference {
  readonly projectId: string
  readonly datasetId: string
  readonly tableId: string
}

/** A session in which a table is read as it was when it was opened. */
export interface ReadSession {
  read(): AsyncGenerator<Batch>
}

/** Undefined where the service refuses: its rows are then read page by page, which takes longer. */
export const openReadSession = async (
  storage: Storage,
  project: string,
  { projectId, datasetId, tableId }: TableReference,
  fields: readonly Field[],
  api: Pick<Api, 'backOff'>,
): Promise<ReadSession | undefined> => {
  try {
    const client = await storage.reader()
    const [session] = await client.createReadSession({
      parent: `projects/${project}`,
      readSession: {
        table: `projects/${projectId}/datasets/${datasetId}/tables/${tableId}`,
        dataFormat: 'ARROW',
      },
      maxStreamCount: 1,
    })
    const decode = arrowReader(session.arrowSchema?.serializedSchema as Uint8Array, fields)
    const [stream] = session.streams ?? []
    return { read: () => rowsOf(client, stream?.name ?? '', decode, api) }
  } catch {
    return undefined
  }
}

type ReadClient = Awaited<ReturnType<Storage['reader']>>

interface Message {
  readonly rowCount?: string | number | null
  readonly arrowRecordBatch?: { readonly serializedRecordBatch?: Uint8Array | null } | null
}

// A broken connection is taken up again after the rows that were handed on.
async function* rowsOf(
  client: ReadClient,
  stream: string,
  decode: (message: Uint8Array) => Iterable<Batch>,
  api: Pick<Api, 'backOff'>,
): AsyncGenerator<Batch> {
  let offset = 0
  for (let tries = 1; ; tries++) {
    const messages = client.readRows({ readStream: stream, offset })
    try {
      for await (const message of messages as AsyncIterable<Message>) {
        const batch = message.arrowRecordBatch?.serializedRecordBatch
        if (!batch || Number(message.rowCount) === 0) continue
        tries = 0
        for (const rows of decode(batch)) {
          offset += rows.rowCount
          yield rows
        }
      }
      return
    } catch (thrown) {
      const error = storageError(thrown)
      if (!(await api.backOff(error, Math.max(1, tries)))) throw error
    } finally {
      messages.cancel()
    }
  }
}
