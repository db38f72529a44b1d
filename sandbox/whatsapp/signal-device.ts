// The Signal half of a simulated phone: its keys and its sessions with other devices, in memory.
// Sessions are always kept under LID device JIDs, whatever addressing a stanza used.
import {
  type AuthenticationCreds,
  addTransactionCapability,
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  encodeWAMessage,
  generateSignalPubKey,
  initAuthCreds,
  proto,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
  type SignalRepositoryWithLIDStore,
  unpadRandomMax16,
} from '@whiskeysockets/baileys'
import { pino } from 'pino'
import type { PreKeyBundle, PublicPreKey } from './directory.ts'

export interface Ciphertext {
  readonly type: 'pkmsg' | 'msg'
  readonly bytes: Uint8Array
}

class MemoryKeys implements SignalKeyStore {
  readonly #rows = new Map<string, unknown>()

  get<T extends keyof SignalDataTypeMap>(type: T, ids: string[]): Record<string, SignalDataTypeMap[T]> {
    const found: Record<string, SignalDataTypeMap[T]> = {}
    for (const id of ids) {
      const row = this.#rows.get(`${type}/${id}`)
      // A row under "type/..." was stored by `set` under that type.
      if (row !== undefined) found[id] = row as SignalDataTypeMap[T]
    }
    return found
  }

  set(rows: SignalDataSet): void {
    for (const [type, byId] of Object.entries(rows)) {
      for (const [id, value] of Object.entries(byId)) {
        if (value === null) this.#rows.delete(`${type}/${id}`)
        else this.#rows.set(`${type}/${id}`, value)
      }
    }
  }

  deleteAll(type: keyof SignalDataTypeMap): void {
    for (const key of this.#rows.keys()) if (key.startsWith(`${type}/`)) this.#rows.delete(key)
  }
}

export class SignalDevice {
  readonly creds: AuthenticationCreds = initAuthCreds()
  readonly #rows = new MemoryKeys()
  readonly #repository: SignalRepositoryWithLIDStore
  #nextPreKeyId = 1

  constructor() {
    const logger = pino({ level: 'silent' })
    const keys = addTransactionCapability(this.#rows, logger, { maxCommitRetries: 1, delayBetweenTriesMs: 1 })
    this.#repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds: this.creds, keys }, logger)
  }

  get identityKey(): Uint8Array {
    return this.creds.signedIdentityKey.public
  }

  sign(message: Uint8Array): Uint8Array {
    return Curve.sign(this.creds.signedIdentityKey.private, message)
  }

  createPreKeys(count: number): PublicPreKey[] {
    return Array.from({ length: count }, () => {
      const keyId = this.#nextPreKeyId++
      const pair = Curve.generateKeyPair()
      this.#rows.set({ 'pre-key': { [String(keyId)]: pair } })
      return { keyId, publicKey: pair.public }
    })
  }

  async hasSession(jid: string): Promise<boolean> {
    return (await this.#repository.validateSession(jid)).exists
  }

  async openSession(jid: string, bundle: PreKeyBundle): Promise<void> {
    const { registrationId, identityKey, signedPreKey, preKey } = bundle
    await this.#repository.injectE2ESession({
      jid,
      session: {
        registrationId,
        identityKey: generateSignalPubKey(identityKey),
        signedPreKey: { ...signedPreKey, publicKey: generateSignalPubKey(signedPreKey.publicKey) },
        ...(preKey && { preKey: { ...preKey, publicKey: generateSignalPubKey(preKey.publicKey) } }),
      },
    })
  }

  async encrypt(jid: string, message: proto.IMessage): Promise<Ciphertext> {
    const { type, ciphertext } = await this.#repository.encryptMessage({
      jid,
      data: encodeWAMessage(message),
    })
    return { type, bytes: ciphertext }
  }

  /** Rejects when no session fits, which calls for a retry receipt. */
  async decrypt(jid: string, { type, bytes }: Ciphertext): Promise<proto.Message> {
    const padded = await this.#repository.decryptMessage({ jid, type, ciphertext: bytes })
    return proto.Message.decode(unpadRandomMax16(padded))
  }

  /** Loses every session, as a restored or reinstalled phone does; the next `msg` from anyone fails. */
  forgetSessions(): void {
    this.#rows.deleteAll('session')
  }

  close(): void {
    this.#repository.close?.()
  }
}
