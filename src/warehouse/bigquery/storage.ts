// Google's client of the Storage API, which reads and writes tables over gRPC. Loaded only for a large result or a streamed row: it takes
// longer to load than all of the rest.
import type { BigQueryReadClient, BigQueryWriteClient } from '@google-cloud/bigquery-storage'
import type { ClientOptions } from 'google-gax'
import { credentialsOf } from './api.ts'
import { RestError } from './errors.ts'
import type { Target } from './settings.ts'

export interface Storage {
  reader(): Promise<BigQueryReadClient>
  writer(): Promise<BigQueryWriteClient>
  close(): Promise<void>
}

/** Undefined at an emulator whose Storage API has no address. */
export const createStorage = (target: Target, root: string): Storage | undefined => {
  const isEmulator = target.apiEndpoint?.startsWith('http:') === true
  if (isEmulator && target.storageEndpoint === undefined) return undefined
  let reading: Promise<BigQueryReadClient> | undefined
  let writing: Promise<BigQueryWriteClient> | undefined

  const options = async (): Promise<ClientOptions> => {
    const [, host, port] = /^(.*?)(?::(\d+))?$/.exec(target.storageEndpoint ?? '') ?? []
    return {
      projectId: target.project,
      ...credentialsOf(target.credentials, root),
      ...(host ? { apiEndpoint: host } : {}),
      ...(port === undefined ? {} : { port: Number(port) }),
      ...(isEmulator ? await unsigned() : {}),
    }
  }
  return {
    reader: () =>
      (reading ??= (async () =>
        new (await import('@google-cloud/bigquery-storage')).BigQueryReadClient(await options()))()),
    writer: () =>
      (writing ??= (async () =>
        new (await import('@google-cloud/bigquery-storage')).BigQueryWriteClient(await options()))()),
    close: async () => {
      const clients = await Promise.allSettled([reading, writing])
      for (const client of clients) if (client.status === 'fulfilled') await client.value?.close()
    },
  }
}

const unsigned = async (): Promise<ClientOptions> => {
  const { PassThroughClient } = await import('google-auth-library')
  const { grpc } = await import('google-gax')
  const authClient = new PassThroughClient() as unknown as NonNullable<ClientOptions['authClient']>
  return { sslCreds: grpc.credentials.createInsecure(), authClient }
}

// Of gRPC: cancelled, unknown, deadline exceeded, resource exhausted, aborted, internal, unavailable.
const passing = new Set([1, 2, 4, 8, 10, 13, 14])
const auth = new Set([7, 16])

/** Whatever a call of the Storage API threw. */
export const storageError = (thrown: unknown): RestError => {
  if (thrown instanceof RestError) return thrown
  const { code, details, message } = (thrown ?? {}) as { code?: number; details?: string; message?: string }
  const facts = {
    status: undefined,
    reason: 'storageApi',
    transient: code !== undefined && passing.has(code),
    auth: code !== undefined && auth.has(code),
    retryAfterMs: undefined,
    ofJob: false,
  }
  return new RestError(details === undefined || details === '' ? (message ?? String(thrown)) : details, facts, thrown)
}
