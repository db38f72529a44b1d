// One companion's WebSocket. States: greeting -> finishing -> open -> closed. Until the client finish has been
// read only Noise handshake frames pass; afterwards every frame is one encrypted stanza.
import { type BinaryNode, decodeBinaryNode, encodeBinaryNode } from '@whiskeysockets/baileys'
import { WebSocket } from 'ws'
import type { NoiseIdentity } from './certificates.ts'
import type { DeviceAddress } from './directory.ts'
import type { Faults } from './faults.ts'
import { type ClientFinish, FrameReader, frame, NoiseResponder } from './noise.ts'

interface ConnectionEvents {
  opened(connection: Connection, finish: ClientFinish): void
  received(connection: Connection, stanza: BinaryNode): void
  closed(connection: Connection): void
  /** A stanza could not be decoded or handled; the socket is cut. */
  failed(connection: Connection, error: unknown): void
}

let opened = 0

export class Connection {
  readonly #id = ++opened
  readonly #socket: WebSocket
  readonly #events: ConnectionEvents
  readonly #faults: Faults
  readonly #noise: NoiseResponder
  readonly #reader = new FrameReader()
  #state: 'greeting' | 'finishing' | 'open' | 'closed' = 'greeting'
  /** Frames are decoded asynchronously; the chain keeps their order. */
  #decoding: Promise<void> = Promise.resolve()
  /** Set by the login; undefined while a QR is shown. */
  address: DeviceAddress | undefined

  constructor(socket: WebSocket, identity: NoiseIdentity, faults: Faults, events: ConnectionEvents) {
    this.#socket = socket
    this.#events = events
    this.#faults = faults
    this.#noise = new NoiseResponder(identity)
    socket.on('message', (bytes: Buffer) => this.#onBytes(bytes))
    socket.on('error', () => this.drop())
    socket.on('close', () => this.#onClose())
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get routingInfo(): Buffer | undefined {
    return this.#reader.routingInfo
  }

  send(node: BinaryNode): void {
    this.#faults.pass({ direction: 'out', ...this.#names(), stanza: node }, (passed) => this.#write(passed))
  }

  /** Ends the stream in order: the stanzas sent so far still arrive. */
  close(): void {
    this.#socket.close()
  }

  /** Cuts the TCP connection, as a lost network does. */
  drop(): void {
    this.#socket.terminate()
  }

  #names() {
    const { address } = this
    return {
      account: address?.account.phone ?? 'unpaired',
      deviceId: address?.deviceId ?? 0,
      connection: this.#id,
    }
  }

  #write(node: BinaryNode): void {
    if (this.#state !== 'open' || this.#socket.readyState !== WebSocket.OPEN) return
    this.#socket.send(frame(this.#noise.encrypt(encodeBinaryNode(node))))
  }

  #onBytes(bytes: Buffer): void {
    try {
      for (const body of this.#reader.read(bytes)) this.#onFrame(body)
    } catch {
      // A client that speaks something else gets what the real server gives it: a closed socket.
      this.drop()
    }
  }

  #onFrame(body: Buffer): void {
    if (this.#state === 'greeting') {
      this.#socket.send(frame(this.#noise.acceptHello(body)))
      this.#state = 'finishing'
    } else if (this.#state === 'finishing') {
      const finish = this.#noise.acceptFinish(body)
      this.#state = 'open'
      this.#events.opened(this, finish)
    } else {
      const plaintext = this.#noise.decrypt(body)
      this.#decoding = this.#decoding
        .then(() => this.#decode(plaintext))
        .catch((error: unknown) => {
          this.#events.failed(this, error)
          this.drop()
        })
    }
  }

  async #decode(plaintext: Buffer): Promise<void> {
    const decoded = await decodeBinaryNode(plaintext)
    this.#faults.pass({ direction: 'in', ...this.#names(), stanza: decoded }, (passed) =>
      this.#events.received(this, passed),
    )
  }

  #onClose(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#events.closed(this)
  }
}
