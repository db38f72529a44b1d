/** The sandbox's own handle for other processes: everything the in-process object can do, as JSON over HTTP. */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { faultSchema } from '../faults.ts'
import type { GhlSandbox } from '../in-process.ts'
import { refuse } from '../refusal.ts'
import { settingsPatchSchema } from '../settings.ts'
import { validated } from '../validation.ts'
import { CONTACT_TEXT_FIELDS } from '../world.ts'
import { newVoiceCallSchema } from './voice-ai.ts'

const MAX_HOSTED_FILE_BYTES = 256 * 1024 * 1024

const text = z.string().optional()
const timeoutMs = z.number().int().positive().max(120_000).optional()

const locationBody = z.strictObject({
  id: text,
  name: text,
  timezone: text,
  country: text,
  allowDuplicateContact: z.boolean().optional(),
})
const ofLocation = z.strictObject({ locationId: z.string() })
const maybeLocation = z.strictObject({ locationId: text })
const contactBody = z.strictObject({
  locationId: z.string(),
  name: text,
  ...(Object.fromEntries(CONTACT_TEXT_FIELDS.map((field) => [field, text])) as Record<
    (typeof CONTACT_TEXT_FIELDS)[number], // Object.fromEntries forgets its keys
    typeof text
  >),
  tags: z.array(z.string()).optional(),
  dnd: z.boolean().optional(),
})
const mergeBody = z.strictObject({ loserId: z.string(), survivorId: z.string() })
const replyBody = z.strictObject({
  locationId: z.string(),
  contactId: z.string(),
  message: z.string().default(''),
  attachments: z.array(z.string()).default([]),
  source: z.enum(['app', 'workflow']).default('app'),
})
const callsQuery = z.strictObject({
  route: text,
  locationId: text,
  status: z.coerce.number().optional(),
  sinceId: z.coerce.number().optional(),
})
const statusWait = z.strictObject({
  messageId: z.string(),
  status: z.enum(['pending', 'sent', 'delivered', 'read', 'failed']),
  timeoutMs,
})
const messageWait = z.strictObject({
  locationId: text,
  contactId: text,
  direction: z.enum(['inbound', 'outbound']).optional(),
  altId: text,
  body: text,
  timeoutMs,
})
const ssoBody = z.strictObject({
  locationId: text,
  role: z.enum(['admin', 'user']).optional(),
  type: z.enum(['agency', 'location']).optional(),
  userId: text,
  userName: text,
  email: text,
  isAgencyOwner: z.boolean().optional(),
  companyId: text,
})
const userBody = z.strictObject({
  id: text,
  firstName: text,
  lastName: text,
  email: text,
  phone: text,
  type: z.enum(['agency', 'account']).optional(),
  role: z.enum(['admin', 'user']).optional(),
  locationIds: z.array(z.string()).optional(),
})
const voiceCallsBody = z.strictObject({ locationId: z.string(), calls: z.array(newVoiceCallSchema).min(1) })
const bulkBody = z.strictObject({
  locationIds: z.array(z.string()).optional(),
  toFutureLocations: z.boolean().default(false),
})
const fileQuery = z.strictObject({ name: z.string().min(1), type: text })

export function addControlRoutes(server: FastifyInstance, sandbox: GhlSandbox): void {
  addReading(server, sandbox)
  addPeople(server, sandbox)
  addInstalls(server, sandbox)
  addConditions(server, sandbox)
}

function addReading(server: FastifyInstance, sandbox: GhlSandbox): void {
  server.get('/_sandbox/info', async () => {
    const {
      url,
      marketplaceUrl,
      publicKey,
      appId,
      clientId,
      clientSecret,
      versionId,
      companyId,
      sharedSecret,
    } = sandbox
    const { providerId, providerKind } = sandbox
    return {
      url,
      marketplaceUrl,
      publicKey,
      appId,
      clientId,
      clientSecret,
      versionId,
      companyId,
      sharedSecret,
      providerId,
      providerKind,
    }
  })
  server.get('/_sandbox/stats', async () => sandbox.stats())
  server.get('/_sandbox/calls', async ({ query }) => ({ calls: sandbox.calls(validated(callsQuery, query)) }))
  server.get('/_sandbox/posts', async () => ({ posts: sandbox.posts() }))
  server.get('/_sandbox/messages', async ({ query }) => ({
    messages: sandbox.messages(validated(ofLocation, query).locationId),
  }))
  server.get<{ Params: { id: string } }>('/_sandbox/messages/:id', async ({ params }) => ({
    message: sandbox.message(params.id) ?? null,
  }))
  server.post('/_sandbox/wait/status', async ({ body }) => {
    const wait = validated(statusWait, body)
    return { message: await inTime(sandbox.waitForStatus(wait.messageId, wait.status, wait.timeoutMs)) }
  })
  server.post('/_sandbox/wait/message', async ({ body }) => {
    const { timeoutMs: deadlineMs, ...wanted } = validated(messageWait, body)
    const waiting = sandbox.waitForMessage(
      (message) =>
        (wanted.locationId === undefined || message.locationId === wanted.locationId) &&
        (wanted.contactId === undefined || message.contactId === wanted.contactId) &&
        (wanted.direction === undefined || message.direction === wanted.direction) &&
        (wanted.altId === undefined || message.altId === wanted.altId) &&
        (wanted.body === undefined || message.body === wanted.body),
      deadlineMs === undefined ? {} : { timeoutMs: deadlineMs },
    )
    return { message: await inTime(waiting) }
  })
}

function addPeople(server: FastifyInstance, sandbox: GhlSandbox): void {
  server.post('/_sandbox/locations', async ({ body }, reply) =>
    reply.status(201).send({ location: sandbox.addLocation(validated(locationBody, body)) }),
  )
  server.post('/_sandbox/users', async ({ body }, reply) =>
    reply.status(201).send({ user: sandbox.addUser(validated(userBody, body)) }),
  )
  server.post('/_sandbox/voice-calls', async ({ body }, reply) => {
    const { locationId, calls } = validated(voiceCallsBody, body)
    return reply.status(201).send({ calls: calls.map((call) => sandbox.addVoiceCall(locationId, call)) })
  })
  server.get('/_sandbox/contacts', async ({ query }) => ({
    contacts: sandbox.contacts.list(validated(ofLocation, query).locationId),
  }))
  server.post('/_sandbox/contacts', async ({ body }, reply) => {
    const { locationId, ...contact } = validated(contactBody, body)
    return reply.status(201).send({ contact: sandbox.contacts.add(locationId, contact) })
  })
  server.post('/_sandbox/contacts/merge', async ({ body }) => {
    const { loserId, survivorId } = validated(mergeBody, body)
    return { contact: sandbox.contacts.merge(loserId, survivorId) }
  })
  server.delete<{ Params: { id: string } }>('/_sandbox/contacts/:id', async ({ params }) => {
    sandbox.contacts.delete(params.id)
    return { deleted: true }
  })
  server.post('/_sandbox/agent-reply', async ({ body }, reply) =>
    reply.status(201).send(sandbox.agentReply(validated(replyBody, body))),
  )
  server.post('/_sandbox/agent-retry', async ({ body }, reply) =>
    reply
      .status(201)
      .send(sandbox.agentRetry(validated(z.strictObject({ messageId: z.string() }), body).messageId)),
  )
  server.post('/_sandbox/sso', async ({ body }) => ({
    payload: sandbox.ssoPayload(validated(ssoBody, body)),
  }))
  server.post('/_sandbox/files', { bodyLimit: MAX_HOSTED_FILE_BYTES }, async ({ body, query }, reply) => {
    const { name, type } = validated(fileQuery, query)
    if (!Buffer.isBuffer(body)) throw refuse(415, 'Send the bytes as application/octet-stream')
    return reply.status(201).send({ url: sandbox.hostFile(name, body, type) })
  })
}

function addInstalls(server: FastifyInstance, sandbox: GhlSandbox): void {
  server.post('/_sandbox/locations/install', async ({ body }) => {
    sandbox.installIn(validated(ofLocation, body).locationId)
    return { installed: true }
  })
  server.post('/_sandbox/locations/uninstall', async ({ body }) => {
    sandbox.uninstallFrom(validated(ofLocation, body).locationId)
    return { installed: false }
  })
  server.post('/_sandbox/company/install', async ({ body }) => {
    const { locationIds, toFutureLocations } = validated(bulkBody, body)
    sandbox.bulkInstall({ ...(locationIds === undefined ? {} : { locationIds }), toFutureLocations })
    return { installed: true }
  })
  server.post('/_sandbox/company/uninstall', async () => {
    sandbox.uninstallFromCompany()
    return { installed: false }
  })
  server.post('/_sandbox/versions', async (_request, reply) =>
    reply.status(201).send({ versionId: sandbox.publishVersion() }),
  )
  server.post('/_sandbox/versions/update', async ({ body }) => {
    sandbox.updateIn(validated(maybeLocation, body).locationId)
    return { versionId: sandbox.versionId }
  })
}

function addConditions(server: FastifyInstance, sandbox: GhlSandbox): void {
  server.get('/_sandbox/settings', async () => sandbox.settings)
  server.patch('/_sandbox/settings', async ({ body }) =>
    Object.assign(sandbox.settings, validated(settingsPatchSchema, body)),
  )
  server.get('/_sandbox/faults', async () => ({ faults: sandbox.faults.list() }))
  server.post('/_sandbox/faults', async ({ body }, reply) => {
    sandbox.faults.add(validated(faultSchema, body))
    return reply.status(201).send({ faults: sandbox.faults.list() })
  })
  server.delete('/_sandbox/faults', async () => {
    sandbox.faults.clear()
    return { faults: [] }
  })
  server.post('/_sandbox/tokens/expire', async ({ body }) => ({
    expired: sandbox.tokens.expireAccess(validated(maybeLocation, body).locationId),
  }))
  server.post('/_sandbox/tokens/revoke', async ({ body }) => ({
    revoked: sandbox.tokens.revokeRefresh(validated(maybeLocation, body).locationId),
  }))
  server.post('/_sandbox/deliveries/hold', async () => {
    sandbox.deliveries.hold()
    return { held: true }
  })
  server.post('/_sandbox/deliveries/release', async ({ body }) => {
    const { reversed } = validated(z.strictObject({ reversed: z.boolean().default(false) }), body)
    sandbox.deliveries.release({ reversed })
    return { held: false }
  })
  server.post('/_sandbox/forget', async () => {
    sandbox.forget()
    return { forgotten: true }
  })
}

/** A wait that ran out is an answer, not a crash. */
async function inTime<Found>(waiting: Promise<Found>): Promise<Found> {
  return waiting.catch((error: unknown) => {
    throw refuse(408, error instanceof Error ? error.message : 'Nothing happened in time')
  })
}
