/**
 * A tick means saved. Baileys decrypts, commits the ratchet, sends the receipt, and only then tells us of the message;
 * killed in between, the message is gone and can never be decrypted again. So its Signal repository is wrapped:
 *
 * - Inbound: plaintext and stanza are put into the same transaction as the ratchet step. Journal row, session and spent
 *   pre-key reach the store in one write, and the receipt leaves after it. Messages then take their way from the journal,
 *   live ones and those of a replay alike: Baileys' own events are buffered, merged, and lost when the socket ends.
 * - A stanza that comes again after that cannot be decrypted twice: it is served from the journal.
 * - Outbound: the advanced session is written before `encryptMessage` returns, so before anything is on the wire. A
 *   ratchet that went back in time would use the same key twice.
 *
 * @see whatsapp.md 1c (measured 2026-11)
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type {
  BinaryNode,
  makeWASocket,
  SignalAuthState,
  SignalKeyStoreWithTransaction,
} from '@whiskeysockets/baileys'
import { z } from 'zod'
import type { JournalWrite, SignalStore } from '../bridge/storage.ts'
import { findChatJid, type SessionId } from '../core/ids.ts'
import { JOURNAL_KIND, type SessionAuth } from './auth-state.ts'

type SocketConfig = Parameters<typeof makeWASocket>[0]
type MakeRepository = NonNullable<SocketConfig['makeSignalRepository']>
type Repository = ReturnType<MakeRepository>

const EntrySchema = z.object({
  attrs: z.record(z.string(), z.string()),
  /** Decrypted and still padded, as Signal gives it; base64. */
  plaintext: z.string(),
})

/** What a journal row holds. */
export type JournalEntry = z.output<typeof EntrySchema>

export const parseEntry = (text: string): JournalEntry => EntrySchema.parse(JSON.parse(text))

/** Who wrote a stanza, without device number: message ids are unique only per author. */
function authorOf(attrs: Readonly<Record<string, string>>): string {
  const author = attrs['participant'] ?? attrs['from'] ?? ''
  return findChatJid(author) ?? author
}

/** A group stanza carries two ciphertexts under one id: the group's key for us alone, then the message for all. */
const senderOf = (attrs: Readonly<Record<string, string>>, encryption: string): string =>
  attrs['participant'] !== undefined && encryption !== 'skmsg' ? `${authorOf(attrs)}#key` : authorOf(attrs)

export class Journal {
  readonly #store: SignalStore
  readonly #sessionId: SessionId
  readonly #auth: SessionAuth
  /** Which stanza a ciphertext belongs to; Baileys hands over the very buffer that was decoded. */
  readonly #stanzas = new WeakMap<object, Readonly<Record<string, string>>>()
  /** Set while a message is encrypted, so that only its ratchet is written at once. */
  readonly #encrypting = new AsyncLocalStorage<true>()

  readonly #onEntry: (row: JournalWrite) => void

  /** @param onEntry called with each row when it is durable, in the order of decryption. */
  constructor(
    store: SignalStore,
    sessionId: SessionId,
    auth: SessionAuth,
    onEntry: (row: JournalWrite) => void,
  ) {
    this.#store = store
    this.#sessionId = sessionId
    this.#auth = auth
    this.#onEntry = onEntry
  }

  /** Call for every raw message stanza, before Baileys decrypts it. */
  watch(stanza: BinaryNode): void {
    if (!Array.isArray(stanza.content)) return
    for (const { tag, content } of stanza.content) {
      if (tag === 'enc' && content instanceof Uint8Array) this.#stanzas.set(content, stanza.attrs)
    }
  }

  /** Wraps Baileys' own repository. */
  wrap(make: MakeRepository): MakeRepository {
    return (auth, logger, pnToLid) => {
      const keys = auth.keys as SignalKeyStoreWithTransaction // makeSocket adds the transaction capability before this call
      const original = make({ ...auth, keys: this.#writingThrough(keys) } as SignalAuthState, logger, pnToLid)
      return {
        ...original,
        decryptMessage: (message) =>
          this.#decryptOnce(
            keys,
            message.ciphertext,
            message.jid,
            () => original.decryptMessage(message),
            message.type,
          ),
        decryptGroupMessage: (message) =>
          this.#decryptOnce(
            keys,
            message.msg,
            message.group,
            () => original.decryptGroupMessage(message),
            'skmsg',
          ),
        encryptMessage: (message) => this.#encrypting.run(true, () => original.encryptMessage(message)),
        encryptGroupMessage: (message) =>
          this.#encrypting.run(true, () => original.encryptGroupMessage(message)),
      } satisfies Repository
    }
  }

  async #decryptOnce(
    keys: SignalKeyStoreWithTransaction,
    ciphertext: Uint8Array,
    lock: string,
    decrypt: () => Promise<Uint8Array>,
    encryption: string,
  ): Promise<Uint8Array> {
    const attrs = this.#stanzas.get(ciphertext)
    // What our own phone sends to its devices (history, keys) is Baileys' business.
    if (attrs?.['id'] === undefined || attrs['category'] === 'peer') return await decrypt()
    const id = { waMessageId: attrs['id'], sender: senderOf(attrs, encryption) }
    // Baileys reuses an open transaction, so what it does inside is committed together with the journal row.
    const decryptAndKeep = async (): Promise<{ plaintext: Uint8Array; row: JournalWrite }> => {
      const plaintext = await decrypt()
      const entry: JournalEntry = {
        attrs: { ...attrs },
        plaintext: Buffer.from(plaintext).toString('base64'),
      }
      const row: JournalWrite = { ...id, entry: JSON.stringify(entry) }
      await keys.set({ [JOURNAL_KIND]: { [id.waMessageId]: row } } as object)
      return { plaintext, row }
    }
    try {
      const { plaintext, row } = await keys.transaction(decryptAndKeep, lock)
      this.#onEntry(row)
      return plaintext
    } catch (failure) {
      const known = await this.#store.findJournal(this.#sessionId, id.waMessageId, id.sender)
      if (known === undefined) throw failure
      return Buffer.from(parseEntry(known).plaintext, 'base64')
    }
  }

  /** The same keys, but a ratchet step of `encryptMessage` is durable before it returns. */
  #writingThrough(keys: SignalKeyStoreWithTransaction): SignalKeyStoreWithTransaction {
    return {
      ...keys,
      set: async (data) => {
        await keys.set(data)
        if (this.#encrypting.getStore() !== true || !keys.isInTransaction()) return
        const ratchets = { session: data.session, 'sender-key': data['sender-key'] }
        await this.#auth.writeThrough(ratchets)
      },
    }
  }
}
