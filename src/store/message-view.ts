/** Messages as people see them: whose they are, and what they wait for. */
import { z } from 'zod'
import type { MessageContact, MessageRow, MessageView } from '../bridge/storage.ts'
import { isPnJid, phoneOfPn } from '../core/ids.ts'
import { MessageRowSchema, optional } from './rows.ts'

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
})

/** A row of bridge.message_view. */
export const MessageViewRow = z.intersection(MessageRowSchema, ViewExtras)

/** @param phoneIn opens what is sealed and answers the E.164 number in it. */
export function viewOf(
  { contact, queue, ...row }: z.output<typeof MessageViewRow>,
  phoneIn: (row: MessageRow, sealed: string) => string | undefined,
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
    queue: queue === null ? undefined : { ahead, reason: code === undefined ? undefined : { code, message } },
  }
}
