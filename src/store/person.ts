/** A person's (or group's) address in the columns that the database compares. */
import { type ChatJid, isGroupJid, isLidJid, isPnJid } from '../core/ids.ts'

export interface AddressColumns {
  readonly chat: ChatJid
  readonly lid: ChatJid | undefined
  readonly pn: ChatJid | undefined
  readonly group: ChatJid | undefined
}

/** @param alt the same chat in its other form; what is no other form of it is passed over. */
export function addressColumns(chat: ChatJid, alt: ChatJid | undefined): AddressColumns {
  if (isGroupJid(chat)) return { chat, lid: undefined, pn: undefined, group: chat }
  const forms = [chat, alt].filter((jid) => jid !== undefined)
  return { chat, lid: forms.find(isLidJid), pn: forms.find(isPnJid), group: undefined }
}
