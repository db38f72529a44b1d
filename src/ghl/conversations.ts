/** GHL conversations: messages in, status back, notes for the team, files up. */
import { PassThrough, Readable } from 'node:stream'
import FormData from 'form-data'
import { z } from 'zod'
import type { GhlConversations, GhlFiling } from '../bridge/ports.ts'
import { GhlError, MediaError } from '../core/errors.ts'
import { type GhlContactId, type GhlConversationId, type LocationId, parseGhlMessageId } from '../core/ids.ts'
import type { GhlClient } from './client.ts'
import { createFiling, type FilingDeps } from './filing.ts'
import { type Refusal, refusalError, traced } from './refusals.ts'
import { createThreads } from './threads.ts'
import { prepareUpload, type Upload } from './to-ghl.ts'
import type { GhlCall } from './transport.ts'

/** Messages on one page of a conversation; the most that GHL gives. */
const PAGE_SIZE = 100
/** GHL's clock and WhatsApp's may differ by this much. */
const CLOCK_SKEW_MS = 10 * 60_000

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
const uploadSchema = z.looseObject({ uploadedFiles: z.record(z.string(), z.string()) })
const librarySchema = z.looseObject({ url: z.string() })

export function createConversations(deps: FilingDeps): GhlConversations {
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
    addInbound: createFiling(deps, threads),

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
    if (refusal.status === 413) throw tooLarge(refusal)
    if (refusal.status === 415) {
      throw new MediaError(
        'MEDIA_TYPE_UNSUPPORTED',
        `GHL does not take this kind of file: ${refusal.message}`,
        { details: traced(refusal) },
      )
    }
    throw refusalError(refusal, 'GHL refused the file')
  } finally {
    body.destroy()
  }
}

const tooLarge = (refusal: Refusal): MediaError =>
  new MediaError('MEDIA_TOO_LARGE', `The file is larger than GHL takes: ${refusal.message}`, {
    details: traced(refusal),
  })
