// The Signal half of a simulated phone: its keys and its sessions with other devices, in memory.
// Sessions are always kept under LID device JIDs, whatever addressing a stanza used.
import {
  type AuthenticationCreds,
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  encodeWAMessage,
  generateSignalPubKey,
  initAuthCreds,
  proto,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStoreWithTransaction,
  type SignalRepositoryWithLIDStore,
  unpadRandomMax16,
} from '@whiskeysockets/baileys'
import { pino } from 'pino'
import type { PreKeyBundle, PublicPreKey } from './directory.ts'

export interface Ciphertext {
  readonly type: 'pkmsg' | 'msg'
  readonly bytes: Uint8Array
}

/** Sessions with one device as libsignal serialises them, by base key. */
interface SessionRecord {
  readonly _sessions: Readonly<Record<string, unknown>>
}

/**
 * Writes at once, without Baileys' transactions: these follow the async context, but libsignal runs the jobs of all
 * devices of the process in one queue per receiver, so a step could end up in another's closed transaction and be
 * lost. The phone's own queue already keeps its steps apart.
 */
class MemoryKeys implements SignalKeyStoreWithTransaction {
  readonly #rows = new Map<string, unknown>()

  isInTransaction(): boolean {
    return false
  }

  transaction<T>(work: () => Promise<T>): Promise<T> {
    return work()
  }

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

  session(id: string): SessionRecord | undefined {
    // A "session" row is what libsignal serialised.
    return this.#rows.get(`session/${id}`) as SessionRecord | undefined
  }

  setSession(id: string, record: SessionRecord): void {
    this.#rows.set(`session/${id}`, record)
  }

  deleteAll(type: keyof SignalDataTypeMap): void {
    for (const key of this.#rows.keys()) if (key.startsWith(`${type}/`)) this.#rows.delete(key)
  }
}

export class SignalDevice {
  readonly creds: AuthenticationCreds = initAuthCreds()
  readonly #rows = new MemoryKeys()
  readonly #repository: SignalRepositoryWithLIDStore
  /** Group JID -> devices that have this device's sender key. */
  readonly #keyHolders = new Map<string, Set<string>>()
  #nextPreKeyId = 1

  constructor() {
    const logger = pino({ level: 'silent' })
    const auth = { creds: this.creds, keys: this.#rows }
    this.#repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository(auth, logger)
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
  async decrypt(jid: string, ciphertext: Ciphertext): Promise<proto.Message> {
    const padded = await this.#decryptPadded(jid, ciphertext)
    return proto.Message.decode(unpadRandomMax16(padded))
  }

  /**
   * libsignal's JavaScript tries all sessions with a device and keeps the steps of those that did not fit, which
   * spoils them. Two sides that wrote first at once have two sessions and would meet that; phones, with the C
   * library, do not. So each session is tried alone.
   */
  async #decryptPadded(jid: string, { type, bytes }: Ciphertext): Promise<Uint8Array> {
    const id = this.#repository.jidToSignalProtocolAddress(jid)
    const record = this.#rows.session(id)
    if (type === 'pkmsg' || !record) {
      return await this.#repository.decryptMessage({ jid, type, ciphertext: bytes })
    }
    for (const [baseKey, session] of Object.entries(record._sessions)) {
      this.#rows.setSession(id, { ...record, _sessions: { [baseKey]: session } })
      const padded = await this.#repository.decryptMessage({ jid, type, ciphertext: bytes }).catch(() => null)
      const tried = this.#rows.session(id)
      this.#rows.setSession(id, { ...record, _sessions: { ...record._sessions, ...tried?._sessions } })
      if (padded) return padded
    }
    throw new Error('no session with this device fits the message')
  }

  /** One ciphertext for the whole group, and the sender key that opens it. */
  async encryptForGroup(
    group: string,
    ownJid: string,
    message: proto.IMessage,
  ): Promise<{ bytes: Uint8Array; distribution: proto.Message.ISenderKeyDistributionMessage }> {
    const data = encodeWAMessage(message)
    const { ciphertext, senderKeyDistributionMessage } = await this.#repository.encryptGroupMessage({
      group,
      meId: ownJid,
      data,
    })
    const distribution = {
      groupId: group,
      axolotlSenderKeyDistributionMessage: senderKeyDistributionMessage,
    }
    return { bytes: ciphertext, distribution }
  }

  /** Rejects when the author's sender key has not come yet or does not fit. */
  async decryptFromGroup(group: string, authorJid: string, bytes: Uint8Array): Promise<proto.Message> {
    const padded = await this.#repository.decryptGroupMessage({ group, authorJid, msg: bytes })
    return proto.Message.decode(unpadRandomMax16(padded))
  }

  async takeSenderKey(authorJid: string, item: proto.Message.ISenderKeyDistributionMessage): Promise<void> {
    await this.#repository.processSenderKeyDistributionMessage({ item, authorJid })
  }

  /** Devices that were given this device's sender key of a group; the caller adds those it gives it to. */
  keyHolders(group: string): Set<string> {
    const holders = this.#keyHolders.get(group) ?? new Set()
    this.#keyHolders.set(group, holders)
    return holders
  }

  /** Begins a new sender key for the group, which those who left it do not get. */
  forgetSenderKey(group: string, ownJid: string): void {
    const [user, device] = this.#repository.jidToSignalProtocolAddress(ownJid).split('.')
    this.#keyHolders.delete(group)
    this.#rows.set({ 'sender-key': { [`${group}::${user}::${device}`]: null } })
  }

  /** Loses every session and sender key, as a reinstalled phone does; the next `msg` or `skmsg` from anyone fails. */
  forgetSessions(): void {
    this.#keyHolders.clear()
    this.#rows.deleteAll('session')
    this.#rows.deleteAll('sender-key')
  }

  close(): void {
    this.#repository.close?.()
  }
}
