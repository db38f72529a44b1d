/** Messages as people see them: whose they are, and what they wait for. */
import { z } from 'zod'
import type { MessageContact, MessageRow, MessageView } from '../bridge/storage/message-rows.ts'
import { isPnJid, phoneOfPn } from '../core/ids.ts'
import { date, MessageRowSchema, optional } from './rows.ts'

const ContactJson = z.object({
  name: optional(z.string()),
  pn: optional(z.string()),
  isGroup: z.boolean(),
})

const ViewExtras = z.object({
  /** Sealed: no number of ours has met the person, and the number that GHL gave stands in the message itself. */
  contact: z.union([ContactJson, z.object({ sealed: z.string() })]).nullable(),
  queue: z
    .object({ ahead: z.number(), code: optional(z.string()), message: optional(z.string()) })
    .nullable(),
  writtenAt: optional(date),
  discardedAt: optional(date),
  content: z.object({ origin: z.enum(['customer', 'phone', 'ghl']), sealed: z.string() }).exactOptional(),
})

/** A row of bridge.message_view. */
export const MessageViewRow = z.intersection(MessageRowSchema, ViewExtras)

export interface Openings {
  /** The E.164 number in what an agent's message holds sealed; undefined when it cannot be opened. */
  readonly phoneIn: (row: MessageRow, sealed: string) => string | undefined
  /** What a message says; undefined when it cannot be opened. */
  readonly contentIn: (
    row: MessageRow,
    content: NonNullable<z.output<typeof ViewExtras>['content']>,
  ) => MessageView['content']
}

export function viewOf(
  { contact, queue, content, ...row }: z.output<typeof MessageViewRow>,
  { phoneIn, contentIn }: Openings,
): MessageView {
  const known = (): MessageContact | undefined => {
    if (contact === null) return undefined
    if ('sealed' in contact) {
      return { name: undefined, phoneNumber: phoneIn(row, contact.sealed), isGroup: false }
    }
    const { name, pn, isGroup } = contact
    return { name, phoneNumber: pn !== undefined && isPnJid(pn) ? phoneOfPn(pn) : undefined, isGroup }
  }
  const { ahead = 0, code, message = '' } = queue ?? {}
  return {
    ...row,
    contact: known(),
    content: content && contentIn(row, content),
    queue: queue === null ? undefined : { ahead, reason: code === undefined ? undefined : { code, message } },
  }
}
