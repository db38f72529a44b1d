// The part of `ws` that the sandbox uses; the package ships no declarations of its own.
declare module 'ws' {
  import type { EventEmitter } from 'node:events'
  import type { IncomingMessage } from 'node:http'
  import type { AddressInfo } from 'node:net'

  export class WebSocket extends EventEmitter {
    static readonly OPEN: 1
    readonly readyState: number
    send(bytes: Uint8Array): void
    close(code?: number, reason?: string): void
    terminate(): void
  }

  export class WebSocketServer extends EventEmitter {
    constructor(options: { host: string; port: number; path?: string; maxPayload?: number })
    readonly clients: Set<WebSocket>
    address(): AddressInfo
    close(done?: (error?: Error) => void): void
    on(event: 'connection', listener: (socket: WebSocket, request: IncomingMessage) => void): this
    on(event: 'listening' | 'close', listener: () => void): this
    on(event: 'error', listener: (error: Error) => void): this
  }
}
