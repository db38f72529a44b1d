/**
 * A TCP proxy that can go half open, as a firewall that forgot a connection or a machine that lost its network: nothing
 * passes any more in either direction, and nobody is told. New connections are taken and lead nowhere.
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class HalfOpenProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isStalled = false
  /** Rises with every stall: connections from before stay dead for ever. */
  #generation = 0

  private constructor(target: URL) {
    this.#server = createServer((near) => {
      const far = connect(Number(target.port), target.hostname)
      const generation = this.#generation
      const isDead = () => this.#isStalled || generation !== this.#generation
      this.#join(near, far, isDead)
      this.#join(far, near, isDead)
    })
  }

  /** @returns the proxy; `urlOf` gives the address to use instead of the target's. */
  static async open(targetUrl: string): Promise<HalfOpenProxy> {
    const proxy = new HalfOpenProxy(new URL(targetUrl))
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  urlOf(targetUrl: string): string {
    const url = new URL(targetUrl)
    url.host = `127.0.0.1:${(this.#server.address() as AddressInfo).port}` // it listens on TCP
    return url.href
  }

  stall(): void {
    this.#isStalled = true
    this.#generation += 1
  }

  /** New connections work again. */
  heal(): void {
    this.#isStalled = false
    this.#generation += 1
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(from: Socket, to: Socket, isDead: () => boolean): void {
    this.#sockets.add(from)
    from.on('data', (bytes) => {
      if (!isDead()) to.write(bytes)
    })
    from.on('end', () => {
      if (!isDead()) to.end()
    })
    from.on('error', () => undefined) // 'close' follows
    from.on('close', () => {
      this.#sockets.delete(from)
      if (!isDead()) to.destroy()
    })
  }
}
