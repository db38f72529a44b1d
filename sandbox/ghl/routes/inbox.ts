/** The agent's inbox: the page, its two live regions, its event stream, and what the agent does. */
import type { IncomingMessage } from 'node:http'
import busboy from 'busboy'
import type { FastifyInstance } from 'fastify'
import { agentReply, agentRetry, openConversation } from '../agent.ts'
import { hostFile } from '../files.ts'
import { inboxPage, threadFragment, threadsFragment } from '../inbox/inbox-page.ts'
import type { SandboxParts } from '../sandbox-parts.ts'
import type { Change } from '../world.ts'

interface ViewQuery {
  Querystring: { location?: string; contact?: string }
}

export function addInboxRoutes(server: FastifyInstance, parts: SandboxParts): void {
  const { world } = parts
  const page = 'text/html; charset=utf-8'

  server.get<ViewQuery>('/', async ({ query }, reply) => {
    openConversation(parts, query.contact ?? '')
    return reply.type(page).send(inboxPage(parts, { locationId: query.location, contactId: query.contact }))
  })
  server.get<ViewQuery>('/_inbox/threads', async ({ query }, reply) =>
    reply.type(page).send(threadsFragment(parts, { locationId: query.location, contactId: query.contact })),
  )
  server.get<ViewQuery>('/_inbox/thread', async ({ query }, reply) => {
    openConversation(parts, query.contact ?? '')
    return reply
      .type(page)
      .send(threadFragment(parts, { locationId: query.location, contactId: query.contact }))
  })

  server.get<ViewQuery>('/_inbox/events', { sse: 'only' }, async ({ query }, reply) => {
    const tell = (change: Change) => {
      if (change.kind === 'call' || change.kind === 'delivery') return
      if (change.locationId !== query.location || !reply.sse.isConnected) return
      // A page that has just gone is told by its own close event.
      reply.sse.send({ event: 'change', data: change }).catch(() => undefined)
    }
    world.changes.on('change', tell)
    reply.sse.onClose(() => world.changes.off('change', tell))
    reply.sse.keepAlive()
    await reply.sse.send({ event: 'hello', data: {} })
  })

  server.post<ViewQuery>('/_inbox/reply', async (request, reply) => {
    const { message, files } = await readComposer(request.raw)
    const sent = agentReply(parts, {
      locationId: request.query.location ?? '',
      contactId: request.query.contact ?? '',
      message,
      attachments: files.map((file) => hostFile(parts, file.name, file.bytes, file.contentType)),
    })
    return reply.status(201).send({ messageId: sent.id })
  })

  server.post<{ Params: { messageId: string } }>('/_inbox/retry/:messageId', async (request, reply) =>
    reply.status(201).send({ messageId: agentRetry(parts, request.params.messageId).id }),
  )
}

interface Composed {
  message: string
  files: { name: string; contentType: string; bytes: Buffer }[]
}

function readComposer(request: IncomingMessage): Promise<Composed> {
  return new Promise((resolve, reject) => {
    const composed: Composed = { message: '', files: [] }
    const parser = busboy({ headers: request.headers, defParamCharset: 'utf8' })
    parser.on('field', (name, value) => {
      if (name === 'message') composed.message = value
    })
    parser.on('file', (_part, stream, info) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const bytes = Buffer.concat(chunks)
        // An empty file input still sends one nameless part.
        if (bytes.length > 0)
          composed.files.push({ name: info.filename ?? '', contentType: info.mimeType, bytes })
      })
    })
    parser.on('close', () => resolve(composed))
    parser.on('error', (error: unknown) =>
      reject(error instanceof Error ? error : new Error('malformed form')),
    )
    request.pipe(parser)
  })
}
