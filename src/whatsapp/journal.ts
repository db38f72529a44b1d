/**
 * A tick means saved. Baileys decrypts, commits the ratchet, sends the receipt, and only then tells us of the message;
 * killed in between, the message is gone and can never be decrypted again. So its Signal repository is wrapped:
 *
 * - Inbound: plaintext and stanza are put into the same transaction as the ratchet step. Journal row, session and spent
 *   pre-key reach the store in one write, and the receipt leaves after it. Messages then take their way from the journal,
 *   live ones and those of a replay alike: Baileys' own events are buffered, merged, and lost when the socket ends.
 * - A stanza that comes again after that cannot be decrypted twice: it is served from the journal.
 * - Outbound: sessions are read from and written to the store itself, before `encryptMessage` returns, so before anything
 *   is on the wire. A ratchet that went back in time would use the same key twice, and Baileys' transaction around a send
 *   would put back at its end whatever it had read at its beginning.
 * - One step at a time per Signal address, commit included: Baileys locks sends by account, but what arrives by author.
 * - Each step keeps to its own transaction. libsignal has one queue per address for the whole process, and runs a step that
 *   had to wait there in the async context, so in the transaction, of whoever began the queue: another number's, or one
 *   that is over, whose writes are lost.
 *
 * @see whatsapp.md 1c (measured 2026-11)
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type BinaryNode,
  isPnUser,
  type makeWASocket,
  proto,
  type SignalAuthState,
  type SignalKeyStoreWithTransaction,
  unpadRandomMax16,
} from '@whiskeysockets/baileys'
import { z } from 'zod'
import type { JournalWrite, SignalStore } from '../bridge/storage/signal.ts'
import { findChatJid, type SessionId } from '../core/ids.ts'
import { JOURNAL_KIND, type SessionAuth } from './auth-state.ts'
import { Turns } from './turns.ts'
import { waIdOf } from './wa-id.ts'

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

/**
 * A group stanza carries two ciphertexts under one id: the group's key for us alone, then the message for all. What we asked
 * a member for again comes for us alone too, under the same id: `count` tells it from the first.
 */
function senderOf(attrs: Readonly<Record<string, string>>, type: string, count: string | undefined): string {
  if (attrs['category'] === 'peer') return `${authorOf(attrs)}${PIECE}`
  if (attrs['participant'] === undefined || type === 'skmsg') return authorOf(attrs)
  return `${authorOf(attrs)}#key${count ?? ''}`
}

/** Ends the author of a row that announces a piece of history. */
const PIECE = '#history'

/** True for a row that announces a piece of history. */
export const isPiece = ({ sender }: Pick<JournalWrite, 'sender'>): boolean => sender.endsWith(PIECE)

/** Who wrote what a row holds. */
export const authorOfRow = ({ sender }: Pick<JournalWrite, 'sender'>): string =>
  sender.split('#')[0] ?? sender

/**
 * What our own phone sends to its devices is Baileys' business, but for pieces of history and messages that it was asked
 * for: it sends them once.
 */
function isKept(attrs: Readonly<Record<string, string>>, plaintext: Uint8Array): boolean {
  if (attrs['category'] !== 'peer') return true
  try {
    const { protocolMessage } = proto.Message.decode(unpadRandomMax16(plaintext))
    return Boolean(
      protocolMessage?.historySyncNotification ?? protocolMessage?.peerDataOperationRequestResponseMessage,
    )
  } catch {
    return false
  }
}

interface Ciphertext {
  readonly ciphertext: Uint8Array
  /** Signal's name for it: `pkmsg`, `msg`, `skmsg`. */
  readonly type: string
  /** Under which Baileys' own transaction runs. */
  readonly lock: string
}

interface Stanza {
  readonly attrs: Readonly<Record<string, string>>
  /** Which repeat it is, of a ciphertext that we asked for again. */
  readonly count: string | undefined
}

type Context = ReturnType<typeof AsyncLocalStorage.snapshot>

export class Journal {
  readonly #store: SignalStore
  readonly #sessionId: SessionId
  readonly #auth: SessionAuth
  /** Which stanza a ciphertext belongs to; Baileys hands over the very buffer that was decoded. */
  readonly #stanzas = new WeakMap<object, Stanza>()
  /** Set while a session steps on its sending side, so that it bypasses the transaction. */
  readonly #sending = new AsyncLocalStorage<true>()
  readonly #turns = new Turns()
  /** The async context of the step that each Signal address is in. */
  readonly #steps = new Map<string, Context>()
  /** The context of the one decryption; Baileys decrypts one message after the other. */
  #decrypting: Context | undefined
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
    for (const { tag, attrs, content } of stanza.content) {
      if (tag === 'enc' && content instanceof Uint8Array)
        this.#stanzas.set(content, { attrs: stanza.attrs, count: attrs['count'] })
    }
  }

  /** Wraps Baileys' own repository. */
  wrap(make: MakeRepository): MakeRepository {
    return (auth, logger, pnToLid) => {
      const keys = auth.keys as SignalKeyStoreWithTransaction // makeSocket adds the transaction capability before this call
      const original = make({ ...auth, keys: this.#bypassing(keys) } as SignalAuthState, logger, pnToLid)
      const addressOf = (jid: string): string => original.jidToSignalProtocolAddress(jid)
      const sendingStep = async <T>(jid: string, act: () => Promise<T>): Promise<T> => {
        // The session of a known person is under the LID, whichever form the caller used.
        const lid = isPnUser(jid) ? await original.lidMapping.getLIDForPN(jid).catch(() => null) : null
        const address = addressOf(lid ?? jid)
        return await this.#turns.take(address, () =>
          this.#sending.run(true, () => this.#stepping(address, act)),
        )
      }
      const receivingStep = (jid: string, stanza: Ciphertext, act: () => Promise<Uint8Array>) =>
        this.#turns.take(addressOf(jid), () =>
          this.#decryptOnce(keys, stanza, () => this.#stepping(addressOf(jid), act, true)),
        )
      return {
        ...original,
        decryptMessage: (message) => {
          const { ciphertext, jid, type } = message
          return receivingStep(jid, { ciphertext, type, lock: jid }, () => original.decryptMessage(message))
        },
        decryptGroupMessage: (message) =>
          this.#decryptOnce(keys, { ciphertext: message.msg, type: 'skmsg', lock: message.group }, () =>
            original.decryptGroupMessage(message),
          ),
        encryptMessage: (message) => sendingStep(message.jid, () => original.encryptMessage(message)),
        injectE2ESession: (message) => sendingStep(message.jid, () => original.injectE2ESession(message)),
        encryptGroupMessage: (message) =>
          this.#sending.run(true, () => original.encryptGroupMessage(message)),
      } satisfies Repository
    }
  }

  async #decryptOnce(
    keys: SignalKeyStoreWithTransaction,
    { ciphertext, lock, type }: Ciphertext,
    decrypt: () => Promise<Uint8Array>,
  ): Promise<Uint8Array> {
    const stanza = this.#stanzas.get(ciphertext)
    const { attrs = {} } = stanza ?? {}
    if (attrs['id'] === undefined) return await keys.transaction(decrypt, lock)
    // As the message will be recorded under, so that recording settles the row.
    const id = { waMessageId: waIdOf(attrs['id']), sender: senderOf(attrs, type, stanza?.count) }
    // Baileys reuses an open transaction, so what it does inside is committed together with the journal row.
    const decryptAndKeep = async (): Promise<{ plaintext: Uint8Array; row?: JournalWrite }> => {
      const plaintext = await decrypt()
      if (!isKept(attrs, plaintext)) return { plaintext }
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
      if (row !== undefined) this.#onEntry(row)
      return plaintext
    } catch (failure) {
      const find = () => this.#store.findJournal(this.#sessionId, id.waMessageId, id.sender)
      const known = await this.#auth.attempt(find)
      if (known === undefined) throw failure
      return Buffer.from(parseEntry(known).plaintext, 'base64')
    }
  }

  /** Remembers the context of a step, for the calls that libsignal makes in another. */
  async #stepping<T>(address: string, act: () => Promise<T>, isDecrypting = false): Promise<T> {
    const context = AsyncLocalStorage.snapshot()
    this.#steps.set(address, context)
    if (isDecrypting) this.#decrypting = context
    try {
      return await act()
    } finally {
      this.#steps.delete(address)
      if (isDecrypting) this.#decrypting = undefined
    }
  }

  /** The same keys in the context of the step; what a sending step reads is what is stored, and what it changes is durable. */
  #bypassing(keys: SignalKeyStoreWithTransaction): SignalKeyStoreWithTransaction {
    const get: SignalKeyStoreWithTransaction['get'] = async (kind, ids) => {
      if (kind !== 'session' || this.#sending.getStore() !== true) return await keys.get(kind, ids)
      return (await this.#auth.readThrough(kind, ids)) as Awaited<ReturnType<typeof keys.get<typeof kind>>> // what `set` wrote
    }
    const set: SignalKeyStoreWithTransaction['set'] = async (changes) => {
      if (this.#sending.getStore() !== true) {
        await keys.set(changes)
        return
      }
      const { session, ...others } = changes
      await this.#auth.writeThrough({ session, 'sender-key': others['sender-key'] })
      // Group keys also stay in the transaction: the rest of a group send reads them there.
      if (Object.keys(others).length > 0) await keys.set(others)
    }
    const contextOf = (kind: string, id: string | undefined): Context | undefined => {
      if (kind === 'pre-key') return this.#decrypting
      return kind === 'session' || kind === 'identity-key' ? this.#steps.get(id ?? '') : undefined
    }
    return {
      ...keys,
      get: async (kind, ids) => {
        const context = contextOf(kind, ids[0])
        return await (context === undefined ? get(kind, ids) : context(() => get(kind, ids)))
      },
      set: async (changes) => {
        const [[kind, values] = ['', {}]] = Object.entries(changes)
        const context = contextOf(kind, Object.keys(values)[0])
        await (context === undefined ? set(changes) : context(() => set(changes)))
      },
    }
  }
}
