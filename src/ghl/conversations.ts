/** GHL conversations: messages in, status back, notes for the team, files up. */
import { PassThrough, Readable } from 'node:stream'
import FormData from 'form-data'
import { z } from 'zod'
import type { InstallationStore } from '../bridge/installations.ts'
import type { GhlConversations, GhlFiling, GhlInboundMessage } from '../bridge/ports.ts'
import type { Clock } from '../core/clock.ts'
import { BridgeError, ConfigError, GhlError, MediaError } from '../core/errors.ts'
import {
  type GhlContactId,
  type GhlConversationId,
  type LocationId,
  parseGhlConversationId,
  parseGhlMessageId,
} from '../core/ids.ts'
import type { Log } from '../core/log.ts'
import type { GhlClient } from './client.ts'
import { MISMATCH, refusalError } from './refusals.ts'
import { prepareUpload, type Upload } from './to-ghl.ts'
import type { GhlTokens } from './tokens.ts'
import type { Answer, GhlCall } from './transport.ts'

interface ConversationsDeps {
  readonly client: GhlClient
  readonly tokens: GhlTokens
  readonly installations: Pick<InstallationStore, 'rememberProviderType'>
  readonly providerId: string | undefined
  readonly providerType: 'custom' | 'sms'
  readonly clock: Clock
  readonly log: Log
}

type ProviderType = 'Custom' | 'SMS'

/** Conversations remembered for uploads; each is about 100 bytes. */
const REMEMBERED = 20_000
/** Messages on one page of a conversation; the most that GHL gives. */
const PAGE_SIZE = 100
/** GHL's clock and WhatsApp's may differ by this much. */
const CLOCK_SKEW_MS = 10 * 60_000
/** GHL's search lags behind its writes (observed); an answer of "none" is asked for twice. */
const SEARCH_LAG_MS = 1_500

const filingSchema = z.looseObject({ messageId: z.string(), conversationId: z.string() })
const searchSchema = z.looseObject({ conversations: z.array(z.looseObject({ id: z.string() })) })
const messageListSchema = z.array(
  z.looseObject({
    id: z.string(),
    altId: z.string().nullish().catch(undefined),
    body: z.string().nullish().catch(undefined),
    dateAdded: z.string().nullish().catch(undefined),
  }),
)
type ThreadMessage = z.infer<typeof messageListSchema>[number]
/** Nested in practice, flat in the published specification. */
const messagesSchema = z.looseObject({
  messages: z.union([z.looseObject({ messages: messageListSchema }), messageListSchema]),
})
const conversationSchema = z.looseObject({ conversation: z.looseObject({ id: z.string() }) })
const uploadSchema = z.looseObject({ uploadedFiles: z.record(z.string(), z.string()) })
const librarySchema = z.looseObject({ url: z.string() })

export function createConversations(deps: ConversationsDeps): GhlConversations {
  const threads = createThreads(deps)

  /** The message of the contact's conversation that is meant, when it was filed under a date after `since`. */
  const findSince = async (
    locationId: LocationId,
    contact: GhlContactId,
    since: Date,
    isMeant: (message: ThreadMessage) => boolean,
  ): Promise<GhlFiling | undefined> => {
    const conversation =
      (await threads.find(locationId, contact)) ?? (await threads.findLater(locationId, contact))
    if (conversation === undefined) return undefined
    for await (const message of messagesSince(deps.client, locationId, conversation, since)) {
      if (isMeant(message))
        return { ghlMessageId: parseGhlMessageId(message.id), ghlConversationId: conversation }
    }
    return undefined
  }

  return {
    async addInbound(message) {
      const { installation } = await deps.tokens.access(message.locationId)
      const usual: ProviderType = deps.providerType === 'custom' ? 'Custom' : 'SMS'
      const type = installation.providerType ?? usual
      const answer = await add(deps, message, type)
      if (!isMismatch(answer)) return threads.remember(message.ghlContactId, filed(answer))
      const other: ProviderType = type === 'Custom' ? 'SMS' : 'Custom'
      const filing = await addAsOther(deps, threads, message, other)
      await rememberType(deps, message.locationId, other)
      return threads.remember(message.ghlContactId, filing)
    },

    findByAltId: (locationId, contact, altId, since) =>
      findSince(locationId, contact, since, (message) => message.altId === altId),

    async addNote({ locationId, ghlContactId, text }) {
      const json = { type: 'InternalComment', contactId: ghlContactId, message: text }
      const call: GhlCall = { method: 'POST', path: '/conversations/messages', json }
      await deps.client.request(locationId, call, 'GHL refused the note')
    },

    async hasNote({ locationId, ghlContactId, text }, since) {
      const found = await findSince(locationId, ghlContactId, since, (message) => message.body === text)
      return found !== undefined
    },

    async setStatus({ locationId, ghlMessageId, status, error }) {
      const path = `/conversations/messages/${ghlMessageId}/status`
      const json = { status, ...(error && { error }) }
      await deps.client.request(locationId, { method: 'PUT', path, json }, 'GHL refused the message status')
    },

    async upload(locationId, contact, file) {
      const upload = await prepareUpload(file)
      if (upload.goesToLibrary) return await uploadToLibrary(deps.client, locationId, upload)
      try {
        const conversation = await threads.open(locationId, contact)
        return await uploadToThread(deps.client, locationId, { contact, conversation }, upload)
      } catch (thrown) {
        // A merge kills conversations, and GHL says so with a 500: look it up afresh next time.
        threads.forget(contact)
        throw thrown
      }
    },
  }
}

type Threads = ReturnType<typeof createThreads>

/** The conversation of each contact, as far as this process has seen it. */
function createThreads({ client, clock }: ConversationsDeps) {
  const known = new Map<GhlContactId, GhlConversationId>()

  const keep = (contact: GhlContactId, conversation: GhlConversationId): void => {
    known.delete(contact)
    known.set(contact, conversation)
    const oldest = known.keys().next().value
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest)
  }

  const find = async (
    locationId: LocationId,
    contact: GhlContactId,
  ): Promise<GhlConversationId | undefined> => {
    const seen = known.get(contact)
    if (seen !== undefined) return seen
    const query = { locationId, contactId: contact, limit: 1 }
    const call: GhlCall = { method: 'GET', path: '/conversations/search', query }
    const body = await client.request(locationId, call, 'GHL refused the search')
    const id = searchSchema.safeParse(body).data?.conversations[0]?.id
    if (id === undefined) return undefined
    keep(contact, parseGhlConversationId(id))
    return known.get(contact)
  }

  return {
    find,
    async findLater(locationId: LocationId, contact: GhlContactId): Promise<GhlConversationId | undefined> {
      await clock.sleep(SEARCH_LAG_MS)
      return await find(locationId, contact)
    },
    /** An upload needs a conversation (contact alone is not proven to do, ghl.md 4.4): found, else made. */
    async open(locationId: LocationId, contact: GhlContactId): Promise<GhlConversationId> {
      const found = await find(locationId, contact)
      if (found !== undefined) return found
      const json = { locationId, contactId: contact }
      const { body, refusal } = await client.send(locationId, {
        method: 'POST',
        path: '/conversations/',
        json,
      })
      const id = refusal?.conversationId ?? conversationSchema.safeParse(body).data?.conversation.id
      if (id === undefined && refusal !== undefined) throw refusalError(refusal, 'GHL refused a conversation')
      if (id === undefined) throw new GhlError('GHL_RESPONSE_INVALID', 'GHL answered without a conversation')
      keep(contact, parseGhlConversationId(id))
      return parseGhlConversationId(id)
    },
    forget: (contact: GhlContactId): void => void known.delete(contact),
    remember(contact: GhlContactId, filing: GhlFiling): GhlFiling {
      keep(contact, filing.ghlConversationId)
      return filing
    },
  }
}

async function rememberType(
  deps: ConversationsDeps,
  locationId: LocationId,
  type: ProviderType,
): Promise<void> {
  try {
    await deps.installations.rememberProviderType(locationId, type)
    deps.tokens.forget(locationId)
  } catch (thrown) {
    // The message is in GHL: an error now would have it added again. The next message learns the type anew.
    const errorCode = thrown instanceof BridgeError ? thrown.code : 'unknown'
    deps.log.warn({ locationId, errorCode }, 'could not remember the provider type')
  }
}

/** By contact, as all but one integrator do; by conversation when that is what the provider wants. */
async function addAsOther(
  deps: ConversationsDeps,
  threads: Threads,
  message: GhlInboundMessage,
  type: ProviderType,
): Promise<GhlFiling> {
  const answer = await add(deps, message, type)
  if (!isMismatch(answer)) return filed(answer)
  const conversation = await threads.find(message.locationId, message.ghlContactId)
  if (conversation === undefined) return filed(answer)
  return filed(await add(deps, message, type, conversation))
}

const isMismatch = (answer: Answer): boolean => answer.refusal?.canonicalCode === MISMATCH

async function add(
  deps: ConversationsDeps,
  message: GhlInboundMessage,
  type: ProviderType,
  conversation?: GhlConversationId,
): Promise<Answer> {
  if (deps.providerId === undefined) throw new ConfigError('CONFIG_MISSING', 'GHL_PROVIDER_ID is not set')
  const json = {
    type,
    conversationProviderId: deps.providerId,
    ...(conversation === undefined ? { contactId: message.ghlContactId } : { conversationId: conversation }),
    altId: message.altId,
    // Left out, GHL takes it for outbound.
    direction: message.direction,
    ...(message.text !== '' && { message: message.text }),
    // An empty list is refused.
    ...(message.attachments.length > 0 && { attachments: message.attachments }),
    ...(message.sentAt && { date: message.sentAt.toISOString() }),
  }
  return await deps.client.send(message.locationId, {
    method: 'POST',
    path: '/conversations/messages/inbound',
    json,
  })
}

function filed(answer: Answer): GhlFiling {
  if (answer.refusal !== undefined) {
    throw refusalError(answer.refusal, 'GHL refused to add the message')
  }
  const filing = filingSchema.safeParse(answer.body).data
  // GHL answers 201 with an empty body and stores nothing when it misses the provider.
  if (filing === undefined) {
    throw new GhlError('GHL_RESPONSE_INVALID', 'GHL answered without a message id', {
      action: 'Check GHL_PROVIDER_ID and GHL_PROVIDER_TYPE.',
      details: { status: answer.status },
    })
  }
  return {
    ghlMessageId: parseGhlMessageId(filing.messageId),
    ghlConversationId: parseGhlConversationId(filing.conversationId),
  }
}

/**
 * A conversation backwards, as far as `since`. Not just its end: a backlog is filed under the dates of its messages, and
 * what was said meanwhile stands after it.
 */
async function* messagesSince(
  client: GhlClient,
  locationId: LocationId,
  conversation: GhlConversationId,
  since: Date,
): AsyncGenerator<ThreadMessage> {
  const path = `/conversations/${conversation}/messages`
  const fromMs = since.getTime() - CLOCK_SKEW_MS
  let lastMessageId: string | undefined
  for (;;) {
    const query = { limit: PAGE_SIZE, ...(lastMessageId !== undefined && { lastMessageId }) }
    const body = await client.request(
      locationId,
      { method: 'GET', path, query },
      'GHL refused to show the messages',
    )
    const answer = messagesSchema.safeParse(body).data
    if (answer === undefined) throw new GhlError('GHL_RESPONSE_INVALID', 'GHL answered without messages')
    const page = Array.isArray(answer.messages) ? answer.messages : answer.messages.messages
    yield* page
    const last = page.at(-1)
    const isOlder = last !== undefined && Date.parse(last.dateAdded ?? '') < fromMs
    if (last === undefined || isOlder || page.length < PAGE_SIZE || last.id === lastMessageId) return
    lastMessageId = last.id
  }
}

async function uploadToThread(
  client: GhlClient,
  locationId: LocationId,
  target: { contact: GhlContactId; conversation: GhlConversationId },
  upload: Upload,
): Promise<string> {
  const fields = { locationId, contactId: target.contact, conversationId: target.conversation }
  const path = '/conversations/messages/upload'
  const body = await post(client, locationId, path, fields, 'fileAttachment', upload)
  const files = uploadSchema.safeParse(body).data?.uploadedFiles ?? {}
  return uploadedUrl(files[upload.fileName] ?? Object.values(files)[0])
}

async function uploadToLibrary(client: GhlClient, locationId: LocationId, upload: Upload): Promise<string> {
  const fields = { hosted: 'false', name: upload.fileName }
  const body = await post(client, locationId, '/medias/upload-file', fields, 'file', upload)
  return uploadedUrl(librarySchema.safeParse(body).data?.url)
}

function uploadedUrl(url: string | undefined): string {
  if (url !== undefined) return url
  throw new GhlError('GHL_RESPONSE_INVALID', 'GHL took the file but gave no address for it')
}

async function post(
  client: GhlClient,
  locationId: LocationId,
  path: string,
  fields: Readonly<Record<string, string>>,
  partName: string,
  upload: Upload,
): Promise<unknown> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  const source = Readable.from(upload.bytes, { objectMode: false })
  form.append(partName, source, { filename: upload.fileName, contentType: upload.mimeType })
  // form-data is a stream of the old kind: pipe passes its errors on to nobody, and it cannot be destroyed.
  const body = new PassThrough()
  form.on('error', (error) => body.destroy(error))
  body.on('close', () => source.destroy())
  form.pipe(body)
  try {
    const { refusal, body: answer } = await client.send(locationId, {
      method: 'POST',
      path,
      stream: { body, headers: form.getHeaders() },
    })
    if (refusal === undefined) return answer
    if (refusal.status === 413) throw tooLarge(refusal.message)
    if (refusal.status === 415) {
      throw new MediaError(
        'MEDIA_TYPE_UNSUPPORTED',
        `GHL does not take this kind of file: ${refusal.message}`,
      )
    }
    throw refusalError(refusal, 'GHL refused the file')
  } finally {
    body.destroy()
  }
}

const tooLarge = (message: string): MediaError =>
  new MediaError('MEDIA_TOO_LARGE', `The file is larger than GHL takes: ${message}`)
