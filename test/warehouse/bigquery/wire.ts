// A way to a gRPC port of this machine that can be cut, for what a lost connection does to calls on it.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Wire {
  /** `host:port`. */
  readonly address: string
  /** The next `bytes` from the server still come; then the connection is gone, though what was sent to the server has arrived. */
  cutAfter(bytes: number): void
  /** How often it was cut. */
  cuts(): number
  close(): Promise<void>
}

export const openWire = async (target: string): Promise<Wire> => {
  const [host = '', port] = target.split(':')
  const sockets = new Set<Socket>()
  let left: number | undefined
  let cuts = 0
  const server = createServer((near) => {
    const far = connect(Number(port), host)
    let gone = false
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
      socket.on('error', () => undefined)
    }
    near.pipe(far)
    far.on('data', (chunk: Buffer) => {
      if (gone) return
      if (left !== undefined) left -= chunk.length
      if (left === undefined || left >= 0) {
        if (!near.write(chunk)) {
          far.pause()
          near.once('drain', () => far.resume())
        }
        return
      }
      gone = true
      left = undefined
      cuts += 1
      near.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutAfter: (bytes) => {
      left = bytes
    },
    cuts: () => cuts,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
