/**
 * Groups in GHL: one contact without a phone for each group, named as the group is. Who says what stands before the words.
 * Only where the location has groups switched on (docs/decisions: groups).
 */
import { BridgeError, WhatsAppError } from '../core/errors.ts'
import { type ChatJid, type ContactId, type GhlContactId, isGroupJid, type LocationId } from '../core/ids.ts'
import type { Envelope } from '../core/message.ts'
import type { WhatsAppNumbers } from './ports.ts'
import type { InboundWork, Original } from './storage/message-rows.ts'
import type { SettingsStore } from './storage/settings.ts'

/** A group whose name cannot be learnt now; it gets its own with the next change of name. */
const NAMELESS = 'WhatsApp group'

/** The durable side, with the promises of storage.ts. */
export interface GroupStore {
  /** Records what happened in a group as a message, when the group has a conversation in GHL already. */
  acceptEvent(envelope: Envelope): Promise<'enqueued' | 'duplicate' | 'unknown_group'>
  /** What we called the group's contact in GHL. */
  findName(contact: ContactId): Promise<string | undefined>
  recordName(contact: ContactId, name: string): Promise<void>
}

export interface GroupContacts {
  /**
   * Renames a contact, unless a person has renamed it: then nothing happens. Repeatable.
   *
   * @param from the name that it must still have.
   * @returns false when it had another name, or is gone.
   * @throws {GhlError} as the client settles it.
   */
  rename(location: LocationId, contact: GhlContactId, from: string, to: string): Promise<boolean>
}

export interface GroupDeps {
  readonly groups: GroupStore
  readonly groupContacts: GroupContacts
  readonly numbers: Pick<WhatsAppNumbers, 'findGroup'>
}

/** The name for a group's contact that is to be made; remembered, so that it can follow the group's. */
export async function nameGroup(deps: GroupDeps, { envelope, contact }: InboundWork): Promise<string> {
  const subject = envelope.groupSubject ?? (await findSubject(deps, envelope))
  const name = subject ?? (await deps.groups.findName(contact.contactId)) ?? NAMELESS
  await deps.groups.recordName(contact.contactId, name)
  return name
}

async function findSubject(deps: GroupDeps, { sessionId, chat }: Envelope): Promise<string | undefined> {
  try {
    return (await deps.numbers.findGroup(sessionId, chat))?.subject
  } catch (thrown) {
    // The messages of a group must not wait for a number that may never come back.
    if (thrown instanceof WhatsAppError) return undefined
    throw thrown
  }
}

/** Carries a group's new name over to its contact. A refusal is let go: the line that tells of it is enough. */
export async function followSubject(
  deps: GroupDeps,
  { envelope, contact }: InboundWork,
  ghlContactId: GhlContactId,
): Promise<void> {
  const { groupSubject, locationId } = envelope
  const given = await deps.groups.findName(contact.contactId)
  if (groupSubject === undefined || given === undefined || given === groupSubject) return
  try {
    if (await deps.groupContacts.rename(locationId, ghlContactId, given, groupSubject))
      await deps.groups.recordName(contact.contactId, groupSubject)
  } catch (thrown) {
    if (!(thrown instanceof BridgeError) || thrown.disposition !== 'dead') throw thrown
  }
}

/**
 * Refuses what an agent writes to a group while the location has its groups switched off: nobody would see the answers.
 *
 * @throws {WhatsAppError} `WA_GROUPS_OFF`.
 */
export async function requireGroupsOn(
  settings: Pick<SettingsStore, 'read'>,
  location: LocationId,
  chat: ChatJid,
): Promise<void> {
  if (!isGroupJid(chat) || (await settings.read(location)).groups) return
  throw new WhatsAppError('WA_GROUPS_OFF', 'WhatsApp groups are switched off for this location', {
    action: 'Switch groups on in the settings of the location, then send it again.',
  })
}

/** Who wrote what a message of a group quotes, in the words of the reader; `undefined` when nobody knows. */
export function quotedAuthor(
  { chat, context }: Pick<Envelope, 'chat' | 'context'>,
  original: Original | undefined,
): string | undefined {
  const { quoted } = context ?? {}
  if (!isGroupJid(chat) || quoted === undefined || quoted.isStatus) return undefined
  if (quoted.isOurs || (original !== undefined && original.origin !== 'customer')) return 'you'
  return oneLine(original?.pushName) || original?.authorPhone || quoted.authorPhone
}

const oneLine = (name: string | undefined): string => name?.replaceAll(/\s+/g, ' ').trim() ?? ''

/** The text as it stands in a group's conversation: `Maria (+5511912345678): text`. */
export function inGroup(envelope: Envelope, text: string): string {
  const { chat, author, fromMe, pushName, authorPhone } = envelope
  // What the group itself tells has no author.
  if (!isGroupJid(chat) || fromMe || author === chat) return text
  const name = oneLine(pushName)
  const who =
    name === '' ? (authorPhone ?? 'Someone') : authorPhone === undefined ? name : `${name} (${authorPhone})`
  return text === '' ? `${who}:` : `${who}: ${text}`
}
