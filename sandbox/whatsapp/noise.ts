// Responder of Noise_XX_25519_AESGCM_SHA256 as WhatsApp Web speaks it:
// client hello -> server hello (ephemeral, encrypted static, encrypted certificate chain) -> client finish
// (encrypted static, encrypted payload) -> transport. Frames carry a 24-bit big-endian length.
import {
  aesDecryptGCM,
  aesEncryptGCM,
  Curve,
  hkdf,
  type KeyPair,
  NOISE_MODE,
  NOISE_WA_HEADER,
  proto,
  sha256,
} from '@whiskeysockets/baileys'
import type { NoiseIdentity } from './certificates.ts'
import { SandboxError } from './errors.ts'

const EMPTY = Buffer.alloc(0)
const LENGTH_BYTES = 3
/** "ED", a version, a type, then a 24-bit length in front of the routing info. */
const ROUTING_INTRO_BYTES = 7

function counterIv(counter: number): Buffer {
  const iv = Buffer.alloc(12)
  iv.writeUInt32BE(counter, 8)
  return iv
}

export function frame(body: Uint8Array): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUIntBE(body.length, 0, LENGTH_BYTES)
  return Buffer.concat([length, body])
}

/** Cuts the byte stream into frames and strips the introduction in front of the first one. */
export class FrameReader {
  #bytes: Buffer = EMPTY
  #introduced = false
  /** Routing info the client repeated from an earlier `edge_routing`; undefined when it had none. */
  routingInfo: Buffer | undefined

  read(chunk: Uint8Array): Buffer[] {
    this.#bytes = this.#bytes.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#bytes, chunk])
    if (!this.#introduced && !this.#takeIntroduction()) return []
    const frames: Buffer[] = []
    while (this.#bytes.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + this.#bytes.readUIntBE(0, LENGTH_BYTES)
      if (this.#bytes.length < end) break
      frames.push(this.#bytes.subarray(LENGTH_BYTES, end))
      this.#bytes = this.#bytes.subarray(end)
    }
    return frames
  }

  #takeIntroduction(): boolean {
    let offset = 0
    if (this.#bytes.subarray(0, 2).toString('latin1') === 'ED') {
      if (this.#bytes.length < ROUTING_INTRO_BYTES) return false
      offset = ROUTING_INTRO_BYTES + this.#bytes.readUIntBE(4, 3)
    }
    const end = offset + NOISE_WA_HEADER.length
    if (this.#bytes.length < end) return false
    if (!this.#bytes.subarray(offset, end).equals(NOISE_WA_HEADER)) {
      throw new SandboxError('HANDSHAKE_INVALID', 'the first bytes are not the WhatsApp header WA 6 3')
    }
    if (offset > 0) this.routingInfo = Buffer.from(this.#bytes.subarray(ROUTING_INTRO_BYTES, offset))
    this.#bytes = this.#bytes.subarray(end)
    this.#introduced = true
    return true
  }
}

interface Transport {
  readonly readKey: Uint8Array
  readonly writeKey: Uint8Array
  readCount: number
  writeCount: number
}

export interface ClientFinish {
  /** The client's long-lived Noise key; a login is valid only with the one it registered. */
  readonly noiseKey: Uint8Array
  readonly payload: proto.ClientPayload
}

export class NoiseResponder {
  readonly #identity: NoiseIdentity
  readonly #ephemeral: KeyPair = Curve.generateKeyPair()
  #hash: Uint8Array = Buffer.from(NOISE_MODE)
  #salt: Uint8Array = this.#hash
  #key: Uint8Array = this.#hash
  #counter = 0
  #transport: Transport | undefined

  constructor(identity: NoiseIdentity) {
    this.#identity = identity
    this.#mix(NOISE_WA_HEADER)
  }

  /** Takes the client hello and answers with the server hello, unframed. */
  acceptHello(bytes: Uint8Array): Uint8Array {
    const ephemeral = proto.HandshakeMessage.decode(bytes).clientHello?.ephemeral
    if (!ephemeral) throw new SandboxError('HANDSHAKE_INVALID', 'client hello without an ephemeral key')
    this.#mix(ephemeral)
    this.#mix(this.#ephemeral.public)
    this.#mixKey(Curve.sharedKey(this.#ephemeral.private, ephemeral))
    const encryptedStatic = this.#seal(this.#identity.staticKey.public)
    this.#mixKey(Curve.sharedKey(this.#identity.staticKey.private, ephemeral))
    const payload = this.#seal(this.#identity.chain)
    return proto.HandshakeMessage.encode({
      serverHello: { ephemeral: this.#ephemeral.public, static: encryptedStatic, payload },
    }).finish()
  }

  /** Takes the client finish; from here on `encrypt` and `decrypt` work. */
  acceptFinish(bytes: Uint8Array): ClientFinish {
    const finish = proto.HandshakeMessage.decode(bytes).clientFinish
    if (!finish?.static || !finish.payload) {
      throw new SandboxError('HANDSHAKE_INVALID', 'client finish without static key or payload')
    }
    const noiseKey = this.#open(finish.static)
    this.#mixKey(Curve.sharedKey(this.#ephemeral.private, noiseKey))
    const payload = proto.ClientPayload.decode(this.#open(finish.payload))
    const [readKey, writeKey] = this.#expand(EMPTY)
    this.#transport = { readKey, writeKey, readCount: 0, writeCount: 0 }
    return { noiseKey, payload }
  }

  encrypt(plaintext: Uint8Array): Buffer {
    const transport = this.#requireTransport()
    return aesEncryptGCM(plaintext, transport.writeKey, counterIv(transport.writeCount++), EMPTY)
  }

  decrypt(ciphertext: Uint8Array): Buffer {
    const transport = this.#requireTransport()
    return aesDecryptGCM(ciphertext, transport.readKey, counterIv(transport.readCount++), EMPTY)
  }

  #requireTransport(): Transport {
    if (!this.#transport) throw new SandboxError('HANDSHAKE_INVALID', 'the Noise handshake is not complete')
    return this.#transport
  }

  #mix(bytes: Uint8Array): void {
    this.#hash = sha256(Buffer.concat([this.#hash, bytes]))
  }

  #expand(secret: Uint8Array): [Uint8Array, Uint8Array] {
    const expanded = hkdf(Buffer.from(secret), 64, { salt: Buffer.from(this.#salt), info: '' })
    return [Buffer.from(expanded.subarray(0, 32)), Buffer.from(expanded.subarray(32))]
  }

  #mixKey(secret: Uint8Array): void {
    const [salt, key] = this.#expand(secret)
    this.#salt = salt
    this.#key = key
    this.#counter = 0
  }

  #seal(plaintext: Uint8Array): Buffer {
    const ciphertext = aesEncryptGCM(plaintext, this.#key, counterIv(this.#counter++), this.#hash)
    this.#mix(ciphertext)
    return ciphertext
  }

  #open(ciphertext: Uint8Array): Buffer {
    const plaintext = aesDecryptGCM(ciphertext, this.#key, counterIv(this.#counter++), this.#hash)
    this.#mix(ciphertext)
    return plaintext
  }
}
