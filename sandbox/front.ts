/** What a hosting platform puts in front of several nodes: spreads connections over those that answer. TCP only. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class Front {
  readonly #ports: readonly number[]
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #turn = 0

  private constructor(ports: readonly number[]) {
    this.#ports = ports
    this.#server = createServer((socket) => {
      this.#turn += 1
      this.#pass(socket, this.#ports.length)
    })
  }

  static async open(ports: readonly number[], port = 0): Promise<Front> {
    const front = new Front(ports)
    front.#server.listen(port, '127.0.0.1')
    await once(front.#server, 'listening')
    return front
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port // it listens on TCP
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** Tries one node after the other; a caller whom none takes is cut off, as by a platform that has nothing up. */
  #pass(socket: Socket, tries: number): void {
    if (tries === 0) {
      socket.destroy()
      return
    }
    const port = this.#ports[(this.#turn + tries) % this.#ports.length] ?? 0
    const node = connect(port, '127.0.0.1')
    this.#sockets.add(socket).add(node)
    const forget = () => {
      this.#sockets.delete(socket)
      this.#sockets.delete(node)
    }
    socket.on('error', () => node.destroy())
    socket.on('close', forget)
    node.once('connect', () => {
      node.on('error', () => socket.destroy())
      socket.pipe(node).pipe(socket)
    })
    const onRefused = () => {
      this.#sockets.delete(node)
      if (node.connecting || node.bytesRead === 0) this.#pass(socket, tries - 1)
    }
    node.once('error', onRefused)
    node.once('connect', () => node.off('error', onRefused))
  }
}
