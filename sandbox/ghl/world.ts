/**
 * What exists in the pretended GHL: agencies, sub-accounts, people, threads and files. Held in memory, written
 * only by the routes and by `messages.ts`; every change is announced on `changes`, which pages and waiters follow.
 */
import { EventEmitter } from 'node:events'
import { objectId } from './ids.ts'

export interface Location {
  readonly id: string
  readonly companyId: string
  name: string
  timezone: string
  country: string
  allowDuplicateContact: boolean
  /** undefined while the app is not installed there. */
  installedAt: Date | undefined
  /** The version of the app that it runs; it stays when a new one is published, until it is updated. */
  versionId: string | undefined
  readonly dateAdded: Date
}

export interface DndSetting {
  status: 'active' | 'inactive' | 'permanent'
  message?: string | undefined
  code?: string | undefined
}

export interface CustomFieldValue {
  id: string
  value: unknown
}

/** The plain text fields that a contact can have. */
export const CONTACT_TEXT_FIELDS = [
  'firstName',
  'lastName',
  'email',
  'phone',
  'gender',
  'address1',
  'city',
  'state',
  'postalCode',
  'country',
  'website',
  'timezone',
  'source',
  'dateOfBirth',
  'companyName',
  'assignedTo',
] as const
export type ContactTextField = (typeof CONTACT_TEXT_FIELDS)[number]

export interface Contact {
  readonly id: string
  readonly locationId: string
  text: Partial<Record<ContactTextField, string>>
  tags: string[]
  customFields: CustomFieldValue[]
  dnd: boolean
  dndSettings: Record<string, DndSetting>
  readonly dateAdded: Date
  dateUpdated: Date
}

export interface Conversation {
  readonly id: string
  readonly locationId: string
  readonly contactId: string
  unreadCount: number
  starred: boolean
  readonly dateAdded: Date
  dateUpdated: Date
  /** Newest last. */
  messages: Message[]
}

export type MessageStatus = 'pending' | 'sent' | 'delivered' | 'read' | 'failed'
export type MessageDirection = 'inbound' | 'outbound'
export type MessageSource = 'app' | 'api' | 'workflow'

export interface MessageError {
  code?: string | undefined
  type?: string | undefined
  message: string
}

export interface Message {
  readonly id: string
  readonly altId: string | undefined
  readonly locationId: string
  /** Changes when contacts are merged. */
  contactId: string
  conversationId: string
  /** GHL's number and name of the kind, e.g. 22 and `TYPE_CUSTOM_PROVIDER_SMS`. */
  readonly type: number
  readonly messageType: string
  /** The word webhooks use: `Custom`, `SMS`, ... */
  readonly channel: string
  readonly direction: MessageDirection
  readonly body: string
  readonly attachments: readonly string[]
  status: MessageStatus
  error: MessageError | undefined
  readonly source: MessageSource
  readonly userId: string | undefined
  readonly conversationProviderId: string | undefined
  readonly replyToAltId: string | undefined
  /** When it was said; an inbound call can back-date it. */
  readonly dateAdded: Date
  dateUpdated: Date
  /** When the sandbox stored it. */
  readonly storedAt: Date
  /** True when GHL asked the provider to deliver it; only such a message has a status to update. */
  readonly forProvider: boolean
  /** First attempt to hand it to the Delivery URL. */
  handedOverAt: Date | undefined
  readonly statusHistory: { status: MessageStatus; at: Date }[]
}

export interface HostedFile {
  readonly id: string
  readonly name: string
  readonly contentType: string
  readonly bytes: Buffer
}

/** A member of the agency or of some of its locations. */
export interface User {
  readonly id: string
  firstName: string
  lastName: string
  email: string
  phone: string
  readonly type: 'agency' | 'account'
  readonly role: 'admin' | 'user'
  /** For an `account` user; an `agency` user sees every location. */
  readonly locationIds: string[]
}

/** An entry of a location's media library. */
export interface MediaFile {
  readonly id: string
  readonly locationId: string
  readonly name: string
  readonly url: string
  readonly contentType: string
  readonly sizeBytes: number
  readonly parentId: string | undefined
  readonly createdAt: Date
}

/** A product or a price, with the fields that its call brought. */
export interface CatalogueEntry {
  readonly id: string
  readonly locationId: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly createdAt: Date
}

export interface Price extends CatalogueEntry {
  readonly productId: string
}

/** A call that a Voice AI agent took. */
export interface VoiceCall {
  readonly id: string
  readonly locationId: string
  readonly contactId: string | undefined
  readonly agentId: string
  readonly fromNumber: string
  readonly createdAt: Date
  readonly durationSec: number
  readonly isTrial: boolean
  /** Kinds of the actions that ran, such as `SMS`. */
  readonly actionTypes: readonly string[]
  readonly summary: string
  readonly transcript: string
  readonly extractedData: Readonly<Record<string, unknown>>
  readonly messageId: string | undefined
}

export type Change =
  | { kind: 'message'; locationId: string; conversationId: string; messageId: string }
  | { kind: 'contact'; locationId: string; contactId: string }
  | { kind: 'location'; locationId: string }
  | { kind: 'delivery'; locationId: string }
  | { kind: 'call' }

export interface World {
  readonly companyId: string
  readonly companyName: string
  readonly userId: string
  readonly planId: string
  /** What an agency has agreed to for all its locations. */
  readonly agencyInstall: {
    /** Locations that are added later get the app too. */
    toFutureLocations: boolean
    /** The version that the agency's own token is for. */
    versionId: string
  }
  readonly locations: Map<string, Location>
  readonly contacts: Map<string, Contact>
  readonly conversations: Map<string, Conversation>
  readonly conversationOfContact: Map<string, Conversation>
  readonly messages: Map<string, Message>
  readonly files: Map<string, HostedFile>
  readonly users: Map<string, User>
  readonly medias: Map<string, MediaFile>
  readonly products: Map<string, CatalogueEntry>
  readonly prices: Map<string, Price>
  readonly voiceCalls: Map<string, VoiceCall>
  readonly changes: EventEmitter<{ change: [Change] }>
}

export function createWorld(companyId: string, userId: string, versionId: string): World {
  const changes = new EventEmitter<{ change: [Change] }>()
  // Each waiting test and each open page listens; a high number is no leak here.
  changes.setMaxListeners(0)
  return {
    companyId,
    companyName: 'Sandbox Agency',
    userId,
    planId: objectId(),
    agencyInstall: { toFutureLocations: false, versionId },
    locations: new Map(),
    contacts: new Map(),
    conversations: new Map(),
    conversationOfContact: new Map(),
    messages: new Map(),
    files: new Map(),
    users: new Map([[userId, firstUser(userId)]]),
    medias: new Map(),
    products: new Map(),
    prices: new Map(),
    voiceCalls: new Map(),
    changes,
  }
}

/** The agency's admin, who installs apps and answers in the inbox. */
function firstUser(id: string): User {
  return {
    id,
    firstName: 'Sandbox',
    lastName: 'Agent',
    email: 'agent@example.com',
    phone: '',
    type: 'agency',
    role: 'admin',
    locationIds: [],
  }
}

export function announce(world: World, change: Change): void {
  world.changes.emit('change', change)
}

/**
 * Resolves with what `find` returns as soon as it returns something, looking again after every change.
 * Rejects after `timeoutMs`, saying `what` was awaited.
 */
export function waitFor<Found>(
  world: World,
  find: () => Found | undefined,
  what: string,
  timeoutMs: number,
): Promise<Found> {
  const already = find()
  if (already !== undefined) return Promise.resolve(already)
  return new Promise((resolve, reject) => {
    const look = () => {
      const found = find()
      if (found === undefined) return
      stopWaiting()
      resolve(found)
    }
    const timer = setTimeout(() => {
      stopWaiting()
      reject(new Error(`GHL sandbox: ${what} did not happen within ${timeoutMs} ms`))
    }, timeoutMs)
    const stopWaiting = () => {
      clearTimeout(timer)
      world.changes.off('change', look)
    }
    world.changes.on('change', look)
  })
}
