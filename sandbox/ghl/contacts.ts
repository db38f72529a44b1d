/**
 * People of a location. One phone and one e-mail identify a contact unless the location allows duplicates. Upsert
 * and update REPLACE tags and names, as the real one does; only the tag routes add and remove.
 */
import { documentId } from './ids.ts'
import { Refusal, refuse } from './refusal.ts'
import { emitEvent, type SandboxParts } from './sandbox-parts.ts'
import {
  announce,
  CONTACT_TEXT_FIELDS,
  type Contact,
  type ContactTextField,
  type CustomFieldValue,
  type DndSetting,
  type Location,
  type World,
} from './world.ts'

export interface ContactChange extends Partial<Record<ContactTextField, string | undefined>> {
  /** Split at the first space into first and last name. */
  name?: string | undefined
  tags?: string[] | undefined
  customFields?: { id: string; key?: string | undefined; field_value?: unknown }[] | undefined
  dnd?: boolean | undefined
  dndSettings?: Record<string, DndSetting | undefined> | undefined
}

/** Two contacts may not share these; the first is looked up first. */
const IDENTIFYING_FIELDS = ['email', 'phone'] as const
type IdentifyingField = (typeof IDENTIFYING_FIELDS)[number]

interface Duplicate {
  contact: Contact
  matchingField: IdentifyingField
}

export function createContact(parts: SandboxParts, location: Location, change: ContactChange): Contact {
  const now = new Date()
  const contact: Contact = {
    id: documentId(),
    locationId: location.id,
    text: {},
    tags: [],
    customFields: [],
    dnd: false,
    dndSettings: {},
    dateAdded: now,
    dateUpdated: now,
  }
  applyChange(contact, change)
  parts.world.contacts.set(contact.id, contact)
  announceContact(parts, contact, 'ContactCreate')
  return contact
}

export function updateContact(parts: SandboxParts, contact: Contact, change: ContactChange): void {
  applyChange(contact, change)
  contact.dateUpdated = new Date()
  announceContact(parts, contact, 'ContactUpdate')
}

export function setTags(parts: SandboxParts, contact: Contact, tags: readonly string[]): void {
  contact.tags = uniqueTags(tags)
  contact.dateUpdated = new Date()
  announceContact(parts, contact, 'ContactTagUpdate')
}

export function deleteContact(parts: SandboxParts, contact: Contact): void {
  const { world } = parts
  world.contacts.delete(contact.id)
  const conversation = world.conversationOfContact.get(contact.id)
  if (conversation) {
    world.conversations.delete(conversation.id)
    world.conversationOfContact.delete(contact.id)
  }
  announceContact(parts, contact, 'ContactDelete')
}

/**
 * Merges as GHL does by hand or by rule: the survivor keeps its values and gains what it lacks, the messages move
 * to its thread, and the loser's contact id and conversation id die.
 */
export function mergeContacts(parts: SandboxParts, loser: Contact, survivor: Contact): void {
  const { world } = parts
  survivor.text = { ...loser.text, ...survivor.text }
  survivor.tags = uniqueTags([...survivor.tags, ...loser.tags])
  const from = world.conversationOfContact.get(loser.id)
  if (from) {
    const into = conversationOf(world, survivor)
    for (const message of from.messages) {
      message.contactId = survivor.id
      message.conversationId = into.id
    }
    into.messages = [...into.messages, ...from.messages].sort(
      (a, b) => a.dateAdded.getTime() - b.dateAdded.getTime(),
    )
    into.unreadCount += from.unreadCount
  }
  deleteContact(parts, loser)
  survivor.dateUpdated = new Date()
  announceContact(parts, survivor, 'ContactUpdate')
}

/** The thread of a contact, made when it is first needed. There is one per contact, whatever the channel. */
export function conversationOf(world: World, contact: Contact) {
  const existing = world.conversationOfContact.get(contact.id)
  if (existing) return existing
  const now = new Date()
  const conversation = {
    id: documentId(),
    locationId: contact.locationId,
    contactId: contact.id,
    unreadCount: 0,
    starred: false,
    dateAdded: now,
    dateUpdated: now,
    messages: [],
  }
  world.conversations.set(conversation.id, conversation)
  world.conversationOfContact.set(contact.id, conversation)
  return conversation
}

export function contactsOf(world: World, locationId: string): Contact[] {
  return [...world.contacts.values()].filter((contact) => contact.locationId === locationId)
}

/** The contact another one must not be like, by e-mail first and phone second. */
export function findDuplicate(
  world: World,
  locationId: string,
  identity: { email?: string | undefined; phone?: string | undefined },
  exceptId?: string,
): Duplicate | undefined {
  for (const field of IDENTIFYING_FIELDS) {
    const wanted = identity[field]?.toLowerCase()
    if (!wanted) continue
    for (const contact of world.contacts.values()) {
      if (contact.locationId !== locationId || contact.id === exceptId) continue
      if (contact.text[field]?.toLowerCase() === wanted) return { contact, matchingField: field }
    }
  }
  return undefined
}

export function refuseDuplicate({ contact, matchingField }: Duplicate): Refusal {
  return new Refusal(400, {
    statusCode: 400,
    message: 'This location does not allow duplicated contacts.',
    meta: { contactId: contact.id, contactName: fullName(contact), matchingField },
  })
}

/** @throws {Refusal} when there is none, or when it belongs to another location. */
export function contactFor(world: World, contactId: string, locationId: string): Contact {
  const contact = world.contacts.get(contactId)
  if (!contact) throw refuse(400, `Contact with id ${contactId} not found`)
  if (contact.locationId !== locationId) throw refuse(403, 'The token does not have access to this location.')
  return contact
}

export function fullName(contact: Contact): string {
  return [contact.text.firstName, contact.text.lastName].filter(Boolean).join(' ')
}

/** A contact as the API shows it. */
export function contactJson(contact: Contact): Record<string, unknown> {
  const name = fullName(contact)
  return {
    id: contact.id,
    locationId: contact.locationId,
    ...contact.text,
    ...(name ? { name, fullNameLowerCase: name.toLowerCase() } : {}),
    ...(contact.text.firstName ? { firstNameLowerCase: contact.text.firstName.toLowerCase() } : {}),
    ...(contact.text.lastName ? { lastNameLowerCase: contact.text.lastName.toLowerCase() } : {}),
    ...(contact.text.email ? { emailLowerCase: contact.text.email.toLowerCase() } : {}),
    type: 'lead',
    dnd: contact.dnd,
    dndSettings: contact.dndSettings,
    tags: contact.tags,
    customFields: contact.customFields,
    dateAdded: contact.dateAdded.toISOString(),
    dateUpdated: contact.dateUpdated.toISOString(),
  }
}

function announceContact(parts: SandboxParts, contact: Contact, event: string): void {
  announce(parts.world, { kind: 'contact', locationId: contact.locationId, contactId: contact.id })
  void emitEvent(parts, event, contact.locationId, contactJson(contact))
}

function applyChange(contact: Contact, change: ContactChange): void {
  if (change.name !== undefined) {
    const [first = '', ...rest] = change.name.trim().split(/\s+/)
    contact.text.firstName = first
    contact.text.lastName = rest.join(' ')
  }
  for (const field of CONTACT_TEXT_FIELDS) {
    const value = change[field]
    if (value !== undefined) contact.text[field] = value
  }
  if (change.tags) contact.tags = uniqueTags(change.tags)
  if (change.dnd !== undefined) contact.dnd = change.dnd
  for (const [channel, setting] of Object.entries(change.dndSettings ?? {})) {
    if (setting) contact.dndSettings[channel] = setting
  }
  for (const field of change.customFields ?? []) setCustomField(contact.customFields, field)
}

function setCustomField(
  fields: CustomFieldValue[],
  { id, field_value: value }: NonNullable<ContactChange['customFields']>[number],
): void {
  const existing = fields.find((field) => field.id === id)
  if (existing) existing.value = value
  else fields.push({ id, value })
}

/** GHL keeps tags in lower case. */
function uniqueTags(tags: readonly string[]): string[] {
  return [...new Set(tags.map((tag) => tag.trim().toLowerCase()))]
}
