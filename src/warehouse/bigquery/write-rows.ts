// Rows into a table by the Storage Write API. Each has a number in a stream of its own, so that none is written twice, however often it
// is sent; it is durable, and can be read, when the service has answered.
import type { Api } from './api.ts'
import { RestError } from './errors.ts'
import type { RowEncoder } from './proto.ts'
import type { TableReference } from './read-rows.ts'
import { type Storage, storageError } from './storage.ts'

export interface RowStream {
  write(rows: readonly Buffer[]): Promise<void>
  close(): void
}

type Client = Awaited<ReturnType<Storage['writer']>>
type Connection = ReturnType<Client['appendRows']>

interface Answer {
  readonly error?: { readonly code?: number | null; readonly message?: string | null } | null
  readonly rowErrors?: readonly { readonly message?: string | null }[] | null
}

const alreadyExists = 6
const unavailable = 14
const silenceMs = 120_000

/** Throws a RestError. */
export const openRowStream = async (
  storage: Storage,
  { projectId, datasetId, tableId }: TableReference,
  { descriptor }: RowEncoder,
  api: Pick<Api, 'backOff'>,
): Promise<RowStream> => {
  const client = await storage.writer()
  const parent = `projects/${projectId}/datasets/${datasetId}/tables/${tableId}`
  const name = await repeated(api, async () => {
    const [stream] = await client.createWriteStream({ parent, writeStream: { type: 'COMMITTED' } })
    return stream.name ?? ''
  })
  let connection: Connection | undefined
  let offset = 0
  const close = (): void => {
    connection?.cancel()
    connection = undefined
  }

  const connect = (): Connection => {
    // The service finds the place of the stream by this header.
    const headers = { 'x-goog-request-params': `write_stream=${encodeURIComponent(name)}` }
    // An error may come once more when nobody waits for an answer.
    return client.appendRows({ otherArgs: { headers } }).on('error', () => undefined)
  }

  const send = (serializedRows: readonly Buffer[]): Promise<void> => {
    const open = (connection ??= connect())
    return new Promise((done, fail) => {
      const silence = setTimeout(
        () => settle({ code: unavailable, message: 'no answer within two minutes' }),
        silenceMs,
      )
      const settle = (error?: unknown): void => {
        clearTimeout(silence)
        open.off('data', answered).off('end', ended).off('error', settle)
        if (error === undefined) done()
        else fail(error)
      }
      const answered = ({ error, rowErrors }: Answer): void => {
        const message = rowErrors?.[0]?.message ?? error?.message
        settle(error ? { code: error.code, message } : undefined)
      }
      const ended = (): void => settle({ code: unavailable, message: 'the connection ended' })
      open.on('data', answered).on('end', ended).on('error', settle)
      open.write({
        writeStream: name,
        offset: { value: offset },
        protoRows: { writerSchema: { protoDescriptor: descriptor }, rows: { serializedRows } },
      })
    })
  }

  return {
    close,
    write: async (rows) => {
      await repeated(api, async () => {
        try {
          await send(rows)
        } catch (error) {
          close()
          // Sent before, and its answer was lost.
          if ((error as { code?: number }).code !== alreadyExists) throw error
        }
      })
      offset += rows.length
    },
  }
}

const repeated = async <T>(api: Pick<Api, 'backOff'>, work: () => Promise<T>): Promise<T> => {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (thrown) {
      const error = storageError(thrown)
      if (!(await api.backOff(error, tries))) throw error
    }
  }
}

/** Whether a stream cannot be had here, whatever the rows. */
export const isRefused = (error: unknown): boolean => error instanceof RestError && !error.transient
