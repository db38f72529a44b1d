import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'

describe('POST /whatsapp/webhook where several nodes run', () => {
  let app: GhlApp
  let locationId: string
  beforeAll(async () => {
    app = await startGhlApp({ nodes: 2 })
    locationId = app.sandbox.addLocation({ name: 'Dental Care' }).id
    await app.install({ location: locationId })
  })
  afterAll(() => app.stop())

  it('is answered by every node, whoever owns the location, and right after the session was made', async () => {
    const { body } = await app.call<{ session_id: string }>('POST', `/ghl/location/${locationId}/session`, {
      body: {},
    })
    const post = { from: '+15551230001', messageType: 'text', sessionId: body.session_id }
    for (const node of [0, 1]) {
      const answer = await app.call('POST', '/whatsapp/webhook', {
        node,
        body: { ...post, message: `by node ${node}`, whatsappMsgId: `NODE${node}` },
      })
      expect([node, answer.status, answer.body]).toEqual([node, 200, { accepted: 'enqueued' }])
    }
    await expect
      .poll(() => app.sandbox.messages(locationId).map((message) => message.body), { timeout: 20_000 })
      .toEqual(['by node 0', 'by node 1'])
  })
})
