/** Keys of the linked devices, and the journal of what came over them. Its promises: messages.ts. */
import type { SessionId } from '../../core/ids.ts'

/** One Signal key (or `null` to delete it), as Baileys names them. Values are JSON text. */
export interface SignalKeyWrite {
  readonly kind: string
  readonly id: string
  readonly value: string | null
}

/** A decrypted stanza, kept until its message is recorded. `entry` is JSON text of the WhatsApp adapter's own making. */
export interface JournalWrite {
  readonly waMessageId: string
  /** The author as the stanza names it: ids are unique only per sender. */
  readonly sender: string
  readonly entry: string
}

export interface SignalStore {
  loadCredentials(sessionId: SessionId): Promise<string | undefined>
  read(sessionId: SessionId, kind: string, ids: readonly string[]): Promise<ReadonlyMap<string, string>>
  /**
   * Everything in one transaction: keys, credentials and journal rows. When it resolves, all of it is durable; values
   * are sealed before they leave the process.
   */
  write(
    sessionId: SessionId,
    change: {
      readonly keys?: readonly SignalKeyWrite[]
      readonly credentials?: string
      readonly journal?: readonly JournalWrite[]
    },
  ): Promise<void>
  /** Journal entries whose message is not recorded yet, oldest first. */
  readJournal(sessionId: SessionId): Promise<readonly JournalWrite[]>
  /** The plaintext of a stanza that Signal can decrypt only once. */
  findJournal(sessionId: SessionId, waMessageId: string, sender: string): Promise<string | undefined>
  /** The stanza needs no message (protocol noise and the like): its journal row is settled. */
  settleJournal(sessionId: SessionId, waMessageId: string, sender: string): Promise<void>
}
