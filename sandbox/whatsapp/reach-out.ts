// WhatsApp's reach-out lock: an account under it may go on in chats that exist, and is refused with 463 when it
// begins a new one, until the hour WhatsApp names.
import { type BinaryNode, S_WHATSAPP_NET } from '@whiskeysockets/baileys'
import type { Account } from './directory.ts'
import { stanza, unixSeconds } from './stanzas.ts'

export const REACH_OUT_LOCKED = 463
/** Baileys' id of the query for the lock's state. */
export const REACH_OUT_QUERY_ID = '23983697327930364'

function chatName(one: Account, other: Account): string {
  return [one.phone, other.phone].sort().join(' ')
}

export class ReachOut {
  readonly #lockedUntil = new Map<Account, Date>()
  readonly #chats = new Set<string>()

  lock(account: Account, until: Date | undefined): void {
    if (until === undefined) this.#lockedUntil.delete(account)
    else this.#lockedUntil.set(account, until)
  }

  /** Whether a message from one to the other would begin a chat that the lock forbids. */
  forbids(sender: Account, receiver: Account): boolean {
    return sender !== receiver && this.isLocked(sender) && !this.#chats.has(chatName(sender, receiver))
  }

  remember(sender: Account, receiver: Account): void {
    this.#chats.add(chatName(sender, receiver))
  }

  isLocked(account: Account): boolean {
    return (this.#lockedUntil.get(account)?.getTime() ?? 0) > Date.now()
  }

  /** Content of the answer to the query. */
  answer(account: Account): Buffer {
    const data = { xwa2_fetch_account_reachout_timelock: this.#state(account) }
    return Buffer.from(JSON.stringify({ data }))
  }

  notification(account: Account, id: string): BinaryNode {
    const data = { xwa2_notify_account_reachout_timelock: this.#state(account) }
    return stanza('notification', { from: S_WHATSAPP_NET, type: 'mex', id, t: unixSeconds() }, [
      stanza(
        'update',
        { op_name: 'NotificationUserReachoutTimelockUpdate' },
        Buffer.from(JSON.stringify({ data })),
      ),
    ])
  }

  #state(account: Account) {
    const until = this.#lockedUntil.get(account)
    return {
      is_active: this.isLocked(account),
      time_enforcement_ends: until ? String(Math.floor(until.getTime() / 1000)) : '0',
      enforcement_type: this.isLocked(account) ? 'BIZ_QUALITY' : 'DEFAULT',
    }
  }
}
