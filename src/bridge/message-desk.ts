/** The messages as people and other programs see and command them, on any node. Everything goes through the store. */
import { RequestError } from '../core/errors.ts'
import type { MessageDesk, MessageSnapshot } from './ports.ts'
import { gist, shortened } from './readable.ts'
import type { MessageError, MessageRow, MessageView } from './storage/message-rows.ts'
import type { ByHand, MessageStore } from './storage/messages.ts'
import { messageUnknown } from './unknown.ts'

const DISCARDED: MessageError = {
  code: 'DISCARDED',
  message: 'This message was held, and then discarded by hand',
}

/** One transaction, and one answer while somebody waits for it. */
const AT_ONCE = 100

export interface MessageDeskDeps {
  readonly messages: Pick<
    MessageStore,
    'list' | 'find' | 'retryByHand' | 'discardByHand' | 'countWaiting' | 'settleWaiting' | 'ledger'
  >
  /** Tells the worker that there is work. */
  readonly nudge: () => void
}

export function createMessageDesk({ messages, nudge }: MessageDeskDeps): MessageDesk {
  const settled = (byHand: ByHand | undefined): MessageSnapshot => {
    if (byHand === undefined) throw messageUnknown()
    if (!byHand.wasWaiting) throw notWaiting(byHand.row)
    nudge()
    return snapshotOf(byHand.row)
  }

  return {
    async list(query) {
      const { messages: rows, nextCursor, total } = await messages.list(query)
      return { messages: rows.map(snapshotOf), nextCursor: nextCursor ?? null, total: total ?? null }
    },
    async find(id) {
      const row = await messages.find(id)
      return row && snapshotOf(row)
    },
    retry: async (id) => settled(await messages.retryByHand(id)),
    discard: async (id) => settled(await messages.discardByHand(id, DISCARDED)),
    waiting: (asked) => messages.countWaiting(asked),
    async retryWaiting(asked, batch) {
      const settledNow = await messages.settleWaiting(asked, { ...batch, limit: AT_ONCE }, { do: 'retry' })
      if (settledNow.done > 0) nudge()
      return settledNow
    },
    async discardWaiting(asked, batch) {
      const deed = { do: 'discard', reason: DISCARDED } as const
      const settledNow = await messages.settleWaiting(asked, { ...batch, limit: AT_ONCE }, deed)
      if (settledNow.done > 0) nudge()
      return settledNow
    },
    ledger: (locationId, span) => messages.ledger(locationId, span),
  }
}

const notWaiting = ({ state }: MessageRow): RequestError =>
  new RequestError('MESSAGE_NOT_WAITING', `This message is ${state}: it waits for nobody’s word`, {
    action: 'Only failed and held messages can be sent again or discarded.',
    details: { state },
  })

function snapshotOf(row: MessageView): MessageSnapshot {
  const { contact, queue } = row
  return {
    id: row.id,
    locationId: row.locationId,
    sessionId: row.sessionId ?? null,
    direction: row.direction,
    kind: row.kind,
    state: row.state,
    chat: row.chat ?? null,
    waMessageId: row.waMessageId ?? null,
    ghlMessageId: row.ghlMessageId ?? null,
    attempts: row.attempts,
    nextAttemptAt: row.nextAttemptAt?.toISOString() ?? null,
    error: row.error === undefined ? null : { action: null, ...row.error },
    contact:
      contact === undefined
        ? null
        : { ...contact, name: contact.name ?? null, phoneNumber: contact.phoneNumber ?? null },
    queue: queue === undefined ? null : { ahead: queue.ahead, reason: queue.reason ?? null },
    writtenAt: row.writtenAt?.toISOString() ?? null,
    discardedAt: row.discardedAt?.toISOString() ?? null,
    preview: row.content === undefined ? null : previewOf(row.content),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

/** A text in its own words, everything else by what it is. */
const previewOf = (content: NonNullable<MessageView['content']>): string =>
  content.kind === 'text' ? shortened(content.text) : gist(content)
