// The control API: what a test in another process, or a person with curl, does with the simulated phones.
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { z } from 'zod'
import { messageJson } from './content.ts'
import { addGroupRoutes } from './control-groups.ts'
import { outgoingAlbum, outgoingMessage, preparedPast, without } from './control-send.ts'
import { SandboxError } from './errors.ts'
import type { PhoneMessage } from './phone-log.ts'
import type { ControlApi, WhatsAppSandbox } from './sandbox.ts'

const BODY_LIMIT_BYTES = 256 * 1024 * 1024

const accountBody = z.strictObject({
  phone: z.string(),
  name: z.string(),
  lid: z.string().optional(),
  hidesNumber: z.boolean().optional(),
})
const pictureBody = z.strictObject({
  picture: z.strictObject({ base64: z.base64(), mimetype: z.string() }).nullable(),
})
const callBody = z.strictObject({
  to: z.string(),
  video: z.boolean().optional(),
  outcome: z.enum(['ringing', 'missed', 'answered', 'rejected', 'cancelled']).optional(),
  addressing: z.enum(['lid', 'pn']).optional(),
})
const readBody = z.strictObject({
  from: z.string(),
  ids: z.array(z.string()).optional(),
  type: z.enum(['read', 'played']).optional(),
})
const phoneParams = z.object({ phone: z.string() })
const messageParams = z.object({ phone: z.string(), id: z.string() })
const messagesQuery = z.object({
  /** Wait until a message has this id or contains this text. */
  waitFor: z.string().optional(),
  timeoutMs: z.coerce.number().optional(),
})

function showMessage(phone: string, entry: PhoneMessage, baseUrl: string) {
  const { media, message, receivedAt, ...rest } = entry
  return {
    ...rest,
    receivedAt: receivedAt.toISOString(),
    message: messageJson(message),
    media: media && {
      mimetype: media.mimetype,
      fileName: media.fileName,
      directPath: media.directPath,
      sha256: media.sha256,
      sizeBytes: media.sizeBytes,
      url: `${baseUrl}/accounts/${phone}/messages/${entry.id}/media`,
    },
  }
}

const STATUS: Partial<Record<SandboxError['code'], number>> = {
  ACCOUNT_UNKNOWN: 404,
  GROUP_UNKNOWN: 404,
  MESSAGE_UNKNOWN: 404,
  WAIT_TIMEOUT: 408,
  ACCOUNT_EXISTS: 409,
  PHONE_OFFLINE: 409,
  COMPANION_NOT_CONNECTED: 409,
}

function answerError(error: unknown, reply: FastifyReply) {
  if (error instanceof SandboxError) {
    return reply.code(STATUS[error.code] ?? 400).send({ error: { code: error.code, message: error.message } })
  }
  if (error instanceof z.ZodError) {
    return reply.code(400).send({ error: { code: 'REQUEST_INVALID', message: z.prettifyError(error) } })
  }
  return reply.code(500).send({ error: { code: 'SANDBOX_BROKEN', message: String(error) } })
}

function addAccountRoutes(app: FastifyInstance, sandbox: WhatsAppSandbox): void {
  app.post('/accounts', async (request, reply) => {
    const phone = sandbox.addAccount(without(accountBody.parse(request.body)))
    const { account } = phone
    return await reply
      .code(201)
      .send({ phone: account.phone, name: account.name, lid: `${account.lidUser}@lid` })
  })
  app.post('/accounts/:phone/scan', async (request) => {
    const { phone } = phoneParams.parse(request.params)
    const { qr } = z.strictObject({ qr: z.string() }).parse(request.body)
    return { deviceId: (await sandbox.scan(phone, qr)).deviceId }
  })
  app.post('/accounts/:phone/link-code', async (request) => {
    const { phone } = phoneParams.parse(request.params)
    const { code } = z.strictObject({ code: z.string() }).parse(request.body)
    return { deviceId: (await sandbox.enterPairingCode(phone, code)).deviceId }
  })
  app.post('/accounts/:phone/history', async (request, reply) => {
    await sandbox.pushHistory(phoneParams.parse(request.params).phone)
    return await reply.code(204).send()
  })
  app.post('/accounts/:phone/past', async (request, reply) => {
    await sandbox.preparePast(phoneParams.parse(request.params).phone, preparedPast(request.body))
    return await reply.code(204).send()
  })
  app.post('/accounts/:phone/picture', (request, reply) => {
    const { picture } = pictureBody.parse(request.body)
    const { phone } = phoneParams.parse(request.params)
    const bytes = Buffer.from(picture?.base64 ?? '', 'base64')
    sandbox.setPicture(phone, picture ? { bytes, mimetype: picture.mimetype } : undefined)
    return reply.code(204).send()
  })
  app.post('/accounts/:phone/unlink', (request, reply) => {
    sandbox.unlink(phoneParams.parse(request.params).phone)
    return reply.code(204).send()
  })
  app.post('/accounts/:phone/online', (request, reply) => {
    sandbox.phone(phoneParams.parse(request.params).phone).goOnline()
    return reply.code(204).send()
  })
  app.post('/accounts/:phone/offline', (request, reply) => {
    sandbox.phone(phoneParams.parse(request.params).phone).goOffline()
    return reply.code(204).send()
  })
  app.post('/accounts/:phone/delivery-receipts', (request, reply) => {
    const { enabled } = z.strictObject({ enabled: z.boolean() }).parse(request.body)
    sandbox.phone(phoneParams.parse(request.params).phone).sendsDeliveryReceipts = enabled
    return reply.code(204).send()
  })
  app.post('/accounts/:phone/reveal-number', (request, reply) => {
    const { to } = z.strictObject({ to: z.string().optional() }).parse(request.body ?? {})
    sandbox.revealNumber(phoneParams.parse(request.params).phone, to)
    return reply.code(204).send()
  })
  app.post('/accounts/:phone/forget-sessions', (request, reply) => {
    sandbox.phone(phoneParams.parse(request.params).phone).signal.forgetSessions()
    return reply.code(204).send()
  })
}

function addMessageRoutes(app: FastifyInstance, sandbox: WhatsAppSandbox): void {
  app.post('/accounts/:phone/send', async (request) => {
    const { phone } = phoneParams.parse(request.params)
    return { id: await sandbox.send(phone, outgoingMessage(request.body)) }
  })
  app.post('/accounts/:phone/call', (request) => {
    const { phone } = phoneParams.parse(request.params)
    const { to, ...call } = callBody.parse(request.body)
    return { id: sandbox.call(phone, to, without(call)) }
  })
  app.post('/accounts/:phone/send-album', async (request) => {
    const { phone } = phoneParams.parse(request.params)
    const { to, items } = outgoingAlbum(request.body)
    return await sandbox.sendAlbum(phone, to, items)
  })
  app.get('/accounts/:phone/messages', async (request) => {
    const { phone } = phoneParams.parse(request.params)
    const { waitFor, timeoutMs } = messagesQuery.parse(request.query)
    if (waitFor !== undefined) {
      const matches = ({ id, text }: PhoneMessage) => id === waitFor || (text ?? '').includes(waitFor)
      await sandbox.waitForMessage(phone, matches, timeoutMs)
    }
    return { messages: sandbox.messages(phone).map((entry) => showMessage(phone, entry, sandbox.controlUrl)) }
  })
  app.get('/accounts/:phone/messages/:id/media', async (request, reply) => {
    const { phone, id } = messageParams.parse(request.params)
    const media = sandbox.messages(phone).find((entry) => entry.id === id)?.media
    if (!media)
      throw new SandboxError('MESSAGE_UNKNOWN', 'this phone has no message with media under this id')
    return await reply.type(media.mimetype).send(media.bytes)
  })
  app.post('/accounts/:phone/read', async (request) => {
    const { phone } = phoneParams.parse(request.params)
    const { from, ids, type } = readBody.parse(request.body)
    return { ids: await sandbox.phone(phone).markRead(from, ids, type) }
  })
  app.get('/accounts/:phone/receipts', (request) => {
    return { receipts: sandbox.receipts(phoneParams.parse(request.params).phone) }
  })
}

function addServerRoutes(app: FastifyInstance, sandbox: WhatsAppSandbox): void {
  app.get('/stats', () => sandbox.stats())
  app.post('/companions/:phone/disconnect', (request, reply) => {
    const how = z
      .strictObject({ code: z.number().optional(), failure: z.number().optional() })
      .parse(request.body ?? {})
    sandbox.disconnect(phoneParams.parse(request.params).phone, without(how))
    return reply.code(204).send()
  })
  app.post('/companions/:phone/refuse-logins', (request, reply) => {
    const { reason, expireSeconds } = z
      .strictObject({ reason: z.number().nullable(), expireSeconds: z.number().optional() })
      .parse(request.body)
    sandbox.refuseLogins(phoneParams.parse(request.params).phone, reason ?? undefined, expireSeconds)
    return reply.code(204).send()
  })
  app.post('/accounts/:phone/refuse-messages', (request, reply) => {
    const { error } = z.strictObject({ error: z.number().nullable() }).parse(request.body)
    sandbox.refuseMessages(phoneParams.parse(request.params).phone, error ?? undefined)
    return reply.code(204).send()
  })
  app.post('/accounts/:phone/reach-out-lock', (request, reply) => {
    const { until } = z.strictObject({ until: z.iso.datetime().nullable() }).parse(request.body)
    const { phone } = phoneParams.parse(request.params)
    sandbox.lockReachOut(phone, until === null ? undefined : new Date(until))
    return reply.code(204).send()
  })
  app.post('/registrations/refresh', (request, reply) => {
    sandbox.refreshRegistration(z.strictObject({ qr: z.string() }).parse(request.body).qr)
    return reply.code(204).send()
  })
  app.post('/media/fail', (request, reply) => {
    const { directPath, status } = z
      .strictObject({ directPath: z.string(), status: z.number().nullable() })
      .parse(request.body)
    sandbox.failMedia(directPath, status ?? undefined)
    return reply.code(204).send()
  })
}

export async function startControlApi(sandbox: WhatsAppSandbox, port: number): Promise<ControlApi> {
  const app = Fastify({ bodyLimit: BODY_LIMIT_BYTES, forceCloseConnections: true })
  app.setErrorHandler((error, _request, reply) => answerError(error, reply))
  // A POST without body is a plain command.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(String(body)))
    } catch {
      done(new SandboxError('REQUEST_INVALID', 'the body is not JSON'))
    }
  })
  addAccountRoutes(app, sandbox)
  addMessageRoutes(app, sandbox)
  addGroupRoutes(app, sandbox)
  addServerRoutes(app, sandbox)
  const url = await app.listen({ host: '127.0.0.1', port })
  return { url, close: () => app.close() }
}
