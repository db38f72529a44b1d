/** What a test or the demo holds in its hand: the sandbox as an object in the same process. */
import { type AgentReply, agentReply, agentRetry, openConversation } from './agent.ts'
import type { CallFilter, Oddity, RecordedCall } from './call-log.ts'
import {
  type ContactChange,
  contactsOf,
  createContact,
  deleteContact,
  findDuplicate,
  mergeContacts,
  updateContact,
} from './contacts.ts'
import type { Deliveries, Post } from './deliveries.ts'
import type { FaultBook } from './faults.ts'
import { hostFile } from './files.ts'
import { documentId, objectId } from './ids.ts'
import {
  companyGrant,
  installInBulk,
  installInLocation,
  installInNewLocation,
  locationGrant,
  uninstallFromCompany,
  uninstallFromLocation,
  updateInLocation,
} from './installs.ts'
import { addVoiceCall, type NewVoiceCall } from './routes/voice-ai.ts'
import type { ProviderIdentity, SandboxParts } from './sandbox-parts.ts'
import type { Settings } from './settings.ts'
import { type SsoUser, ssoPayload } from './sso.ts'
import type { Grant } from './tokens.ts'
import {
  announce,
  type CatalogueEntry,
  type Contact,
  type Conversation,
  type Location,
  type MediaFile,
  type Message,
  type MessageStatus,
  type Price,
  type User,
  type VoiceCall,
  waitFor,
} from './world.ts'

export interface NewLocation {
  id?: string | undefined
  name?: string | undefined
  timezone?: string | undefined
  country?: string | undefined
  allowDuplicateContact?: boolean | undefined
}

export interface NewUser {
  id?: string | undefined
  firstName?: string | undefined
  lastName?: string | undefined
  email?: string | undefined
  phone?: string | undefined
  /** Default `account`: a member of the named locations. */
  type?: User['type'] | undefined
  role?: User['role'] | undefined
  locationIds?: readonly string[] | undefined
}

export interface MessageWait {
  locationId?: string
  /** What is awaited, for the error that a passed deadline gives. */
  what?: string
  timeoutMs?: number
}

export interface SandboxStats {
  calls: number
  byRoute: Record<string, number>
  byStatus: Record<string, number>
  rateLimited: number
  /** What a correct client never causes; a test fails when it is not empty. */
  oddities: readonly Oddity[]
  unknownRoutes: number
  unknownProperties: number
  postsGivenUp: number
}

export interface GhlSandbox {
  readonly url: string
  readonly marketplaceUrl: string
  /** SPKI, base64; verifies `X-GHL-Signature`. */
  readonly publicKey: string
  readonly appId: string
  readonly clientId: string
  readonly clientSecret: string
  /** The published version of the app; `publishVersion` changes it. */
  readonly versionId: string
  readonly companyId: string
  /** The agency's admin. */
  readonly userId: string
  readonly sharedSecret: string
  readonly providerId: string
  readonly providerKind: ProviderIdentity['kind']
  /** Live: a changed value counts from the next call on. */
  readonly settings: Settings
  readonly faults: FaultBook
  readonly deliveries: Pick<Deliveries, 'hold' | 'release' | 'sign'>
  readonly contacts: {
    add(locationId: string, contact: ContactChange): Contact
    update(contactId: string, change: ContactChange): Contact
    delete(contactId: string): void
    merge(loserId: string, survivorId: string): Contact
    get(contactId: string): Contact | undefined
    byPhone(locationId: string, phone: string): Contact | undefined
    list(locationId: string): Contact[]
  }
  readonly conversations: {
    list(locationId: string): Conversation[]
    ofContact(contactId: string): Conversation | undefined
  }
  readonly tokens: {
    /** A location access token without the OAuth dance; for a test that speaks to the API by itself. */
    issueLocation(locationId: string, scopes?: readonly string[]): string
    /** An agency's access token, which only mints location tokens and lists locations. */
    issueCompany(scopes?: readonly string[]): string
    /** A private integration token, which no provider call accepts; without a location, an agency's one. */
    issuePrivate(locationId?: string): string
    /** Ends live access tokens, of one location or of all; returns how many. */
    expireAccess(locationId?: string): number
    revokeRefresh(locationId?: string): number
  }
  addLocation(location?: NewLocation): Location
  installIn(locationId: string): void
  /** The agency installs in these locations, default all; the INSTALL events leave in random order. */
  bulkInstall(options?: { locationIds?: readonly string[]; toFutureLocations?: boolean }): void
  /** Publishes a new version of the app; installed locations keep theirs. Returns its id. */
  publishVersion(): string
  /** Moves a location to the published version; without one, all that have the app and the agency itself. */
  updateIn(locationId?: string): void
  uninstallFrom(locationId: string): void
  uninstallFromCompany(): void
  addUser(user?: NewUser): User
  addVoiceCall(locationId: string, call?: NewVoiceCall): VoiceCall
  /** The media library of a location. */
  medias(locationId: string): MediaFile[]
  /** What a location sells, oldest first. */
  products(locationId: string): CatalogueEntry[]
  prices(productId: string): Price[]
  agentReply(reply: AgentReply): { messageId: string }
  /** Somebody of the team opens it: nothing is unread any more, and the app hears so. */
  openConversation(contactId: string): void
  agentRetry(messageId: string): { messageId: string }
  /** What GHL posts into a custom page's frame: the user, encrypted with the shared secret. */
  ssoPayload(user?: SsoUser): string
  hostFile(name: string, bytes: Uint8Array, contentType?: string): string
  setDeliveryUrl(url: string | null): void
  setWebhookUrl(url: string | null): void
  stats(): SandboxStats
  calls(filter?: CallFilter): RecordedCall[]
  posts(): readonly Post[]
  /** Every message of a location, in the order in which it was stored. */
  messages(locationId: string): Message[]
  message(messageId: string): Message | undefined
  waitForMessage(matches: (message: Message) => boolean, wait?: MessageWait): Promise<Message>
  /** Resolves once the message has, or has had, this status. */
  waitForStatus(messageId: string, status: MessageStatus, timeoutMs?: number): Promise<Message>
  waitForCall(matches: (call: RecordedCall) => boolean, timeoutMs?: number): Promise<RecordedCall>
  waitForPost(matches: (post: Post) => boolean, timeoutMs?: number): Promise<Post>
  /** Forgets calls, posts, faults, counters and used-up limits; what exists stays. */
  forget(): void
  stop(): Promise<void>
}

/** Everything the bridge may ask for. */
const ALL_SCOPES: readonly string[] = [
  'conversations.readonly',
  'conversations.write',
  'conversations/message.readonly',
  'conversations/message.write',
  'contacts.readonly',
  'contacts.write',
  'locations.readonly',
  'medias.readonly',
  'medias.write',
  'oauth.readonly',
  'oauth.write',
  'users.readonly',
  'products.readonly',
  'products.write',
  'products/prices.readonly',
  'products/prices.write',
  'voice-ai-dashboard.readonly',
]

const DEFAULT_WAIT_MS = 10_000

export function inProcessApi(parts: SandboxParts, stop: () => Promise<void>): GhlSandbox {
  const { world, settings, deliveries, callLog } = parts
  const locationById = (id: string) => existing(world.locations.get(id), `location ${id}`)
  const contactById = (id: string) => existing(world.contacts.get(id), `contact ${id}`)
  const ofLocation = (id: string | undefined) => (grant: Grant) => id === undefined || grant.locationId === id

  return {
    get url() {
      return parts.url
    },
    get marketplaceUrl() {
      return parts.url
    },
    publicKey: deliveries.publicKey,
    appId: parts.app.appId,
    clientId: parts.app.clientId,
    clientSecret: parts.app.clientSecret,
    get versionId() {
      return parts.app.versionId
    },
    userId: world.userId,
    companyId: world.companyId,
    sharedSecret: parts.sharedSecret,
    providerId: parts.provider.id,
    providerKind: parts.provider.kind,
    settings,
    faults: parts.faults,
    deliveries,
    contacts: {
      add: (locationId, contact) => createContact(parts, locationById(locationId), contact),
      update(contactId, change) {
        const contact = contactById(contactId)
        updateContact(parts, contact, change)
        return contact
      },
      delete: (contactId) => deleteContact(parts, contactById(contactId)),
      merge(loserId, survivorId) {
        const survivor = contactById(survivorId)
        mergeContacts(parts, contactById(loserId), survivor)
        return survivor
      },
      get: (contactId) => world.contacts.get(contactId),
      byPhone: (locationId, phone) => findDuplicate(world, locationId, { phone })?.contact,
      list: (locationId) => contactsOf(world, locationId),
    },
    conversations: {
      list: (locationId) =>
        [...world.conversations.values()].filter((each) => each.locationId === locationId),
      ofContact: (contactId) => world.conversationOfContact.get(contactId),
    },
    tokens: {
      issueLocation: (locationId, scopes = ALL_SCOPES) =>
        parts.tokens.issuePair(locationGrant(parts, locationById(locationId), scopes)).accessToken,
      issueCompany: (scopes = ALL_SCOPES) => parts.tokens.issuePair(companyGrant(parts, scopes)).accessToken,
      issuePrivate: (locationId) =>
        parts.tokens.issuePrivate(
          locationId === undefined
            ? companyGrant(parts, ALL_SCOPES)
            : locationGrant(parts, locationById(locationId), ALL_SCOPES),
        ),
      expireAccess: (locationId) => parts.tokens.expireAccess(ofLocation(locationId)),
      revokeRefresh: (locationId) => parts.tokens.revokeRefresh(ofLocation(locationId)),
    },
    addLocation: (location) => addLocation(parts, location ?? {}),
    installIn: (locationId) => installInLocation(parts, locationById(locationId)),
    bulkInstall({ locationIds, toFutureLocations = false } = {}) {
      const chosen = locationIds?.map(locationById) ?? [...world.locations.values()]
      installInBulk(parts, chosen, toFutureLocations)
    },
    publishVersion() {
      parts.app.versionId = objectId()
      return parts.app.versionId
    },
    updateIn(locationId) {
      const all = [...world.locations.values()].filter(({ installedAt }) => installedAt !== undefined)
      if (locationId === undefined) world.agencyInstall.versionId = parts.app.versionId
      for (const location of locationId === undefined ? all : [locationById(locationId)]) {
        updateInLocation(parts, location)
      }
    },
    uninstallFromCompany: () => uninstallFromCompany(parts),
    addUser: (user) => addUser(parts, user ?? {}),
    addVoiceCall: (locationId, call = {}) => addVoiceCall(parts, locationById(locationId), call),
    medias: (locationId) => [...world.medias.values()].filter((media) => media.locationId === locationId),
    products: (locationId) =>
      [...world.products.values()].filter((product) => product.locationId === locationId),
    prices: (productId) => [...world.prices.values()].filter((price) => price.productId === productId),
    uninstallFrom: (locationId) => uninstallFromLocation(parts, locationById(locationId)),
    agentReply: (reply) => ({ messageId: agentReply(parts, reply).id }),
    openConversation: (contactId) => {
      openConversation(parts, contactId)
    },
    agentRetry: (messageId) => ({ messageId: agentRetry(parts, messageId).id }),
    ssoPayload: (user = {}) => ssoPayload(parts, user),
    hostFile: (name, bytes, contentType) => hostFile(parts, name, bytes, contentType),
    setDeliveryUrl(url) {
      settings.deliveryUrl = url
    },
    setWebhookUrl(url) {
      settings.webhookUrl = url
    },
    stats: () => statsOf(parts),
    calls: (filter) => callLog.calls(filter),
    posts: () => deliveries.posts(),
    messages: (locationId) =>
      [...world.messages.values()].filter((message) => message.locationId === locationId),
    message: (messageId) => world.messages.get(messageId),
    waitForMessage: (
      matches,
      { locationId, what = 'the awaited message', timeoutMs = DEFAULT_WAIT_MS } = {},
    ) =>
      waitFor(
        world,
        () =>
          [...world.messages.values()].find(
            (message) => (locationId === undefined || message.locationId === locationId) && matches(message),
          ),
        what,
        timeoutMs,
      ),
    waitForStatus: (messageId, status, timeoutMs = DEFAULT_WAIT_MS) =>
      waitFor(
        world,
        () => {
          const message = world.messages.get(messageId)
          return message?.statusHistory.some((entry) => entry.status === status) ? message : undefined
        },
        `status ${status} of message ${messageId}`,
        timeoutMs,
      ),
    waitForCall: (matches, timeoutMs = DEFAULT_WAIT_MS) =>
      waitFor(world, () => callLog.calls().find(matches), 'the awaited call', timeoutMs),
    waitForPost: (matches, timeoutMs = DEFAULT_WAIT_MS) =>
      waitFor(world, () => deliveries.posts().find(matches), 'the awaited post', timeoutMs),
    forget() {
      callLog.forget()
      deliveries.forget()
      parts.faults.clear()
      parts.limiter.forget()
    },
    stop,
  }
}

function addLocation(parts: SandboxParts, input: NewLocation): Location {
  const { world } = parts
  const location: Location = {
    id: input.id ?? documentId(),
    companyId: world.companyId,
    name: input.name ?? `Location ${world.locations.size + 1}`,
    timezone: input.timezone ?? 'America/Sao_Paulo',
    country: input.country ?? 'BR',
    allowDuplicateContact: input.allowDuplicateContact ?? false,
    installedAt: undefined,
    versionId: undefined,
    dateAdded: new Date(),
  }
  world.locations.set(location.id, location)
  announce(world, { kind: 'location', locationId: location.id })
  installInNewLocation(parts, location)
  return location
}

function addUser({ world }: SandboxParts, input: NewUser): User {
  const user: User = {
    id: input.id ?? documentId(),
    firstName: input.firstName ?? 'Team',
    lastName: input.lastName ?? `Member ${world.users.size + 1}`,
    email: input.email ?? `member${world.users.size + 1}@example.com`,
    phone: input.phone ?? '',
    type: input.type ?? 'account',
    role: input.role ?? 'user',
    locationIds: [...(input.locationIds ?? [])],
  }
  world.users.set(user.id, user)
  return user
}

function statsOf({ callLog, deliveries }: SandboxParts): SandboxStats {
  const calls = callLog.calls()
  const oddities = callLog.oddities()
  return {
    calls: calls.length,
    byRoute: countBy(calls, (call) => call.route),
    byStatus: countBy(calls, (call) => String(call.status ?? 'pending')),
    rateLimited: calls.filter((call) => call.status === 429).length,
    oddities: [...oddities],
    unknownRoutes: oddities.filter(({ kind }) => kind === 'unknown-route').length,
    unknownProperties: oddities.filter(({ kind }) => kind === 'unknown-property').length,
    postsGivenUp: deliveries.posts().filter(({ state }) => state === 'given-up').length,
  }
}

function countBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(items, keyOf)].map(([key, group]) => [key, group.length]))
}

function existing<Thing>(thing: Thing | undefined, name: string): Thing {
  if (thing === undefined) throw new Error(`The GHL sandbox has no ${name}`)
  return thing
}
