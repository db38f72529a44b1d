// The control API of groups.
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { WhatsAppSandbox } from './sandbox.ts'

const newGroup = z.strictObject({
  subject: z.string(),
  creator: z.string(),
  members: z.array(z.string()),
  addressing: z.enum(['lid', 'pn']).default('lid'),
})
const groupParams = z.object({ jid: z.string() })
const memberBody = z.strictObject({ phone: z.string(), by: z.string().optional() })
const subjectBody = z.strictObject({ subject: z.string(), by: z.string().optional() })

export function addGroupRoutes(app: FastifyInstance, sandbox: WhatsAppSandbox): void {
  app.post('/groups', async (request, reply) => {
    return await reply.code(201).send(sandbox.createGroup(newGroup.parse(request.body)))
  })
  app.get('/groups/:jid', (request) => sandbox.group(groupParams.parse(request.params).jid))
  app.post('/groups/:jid/subject', (request) => {
    const { jid } = groupParams.parse(request.params)
    const { subject, by } = subjectBody.parse(request.body)
    sandbox.renameGroup(jid, subject, by)
    return sandbox.group(jid)
  })
  app.post('/groups/:jid/add', (request) => {
    const { jid } = groupParams.parse(request.params)
    const { phone, by } = memberBody.parse(request.body)
    sandbox.addToGroup(jid, phone, by)
    return sandbox.group(jid)
  })
  app.post('/groups/:jid/remove', (request) => {
    const { jid } = groupParams.parse(request.params)
    const { phone, by } = memberBody.parse(request.body)
    sandbox.removeFromGroup(jid, phone, by)
    return sandbox.group(jid)
  })
}
