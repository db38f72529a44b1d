/** Two real servers that reach their database only by Supabase's HTTP: first with Realtime, then in its absence. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type SessionView, Stage } from '../../sandbox/stage.ts'
import { freshDatabase, type TestDatabase } from '../support/postgres.ts'
import { type RpcFront, startRpcFront } from '../support/rpc-front.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const CUSTOMER = '15551230001'

describe('two nodes that share a Supabase project', () => {
  let database: TestDatabase
  let front: RpcFront
  let stage: Stage
  let locationId: string

  beforeAll(async () => {
    database = await freshDatabase()
    front = await startRpcFront(database.url, { withRealtime: true })
    stage = await Stage.set({
      nodes: 2,
      env: { SUPABASE_URL: front.url, SUPABASE_SERVICE_ROLE_KEY: front.serviceRoleKey, LOG_LEVEL: 'info' },
      ghl: { statusEarlyMs: 0 },
    })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: CUSTOMER, name: 'Ana' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    for (const node of stage.nodes) await node.start()
    await stage.install(locationId)
    await stage.pair(locationId, OWNER)
  }, 60_000)
  afterAll(async () => {
    await stage.strike()
    await front.close()
    await database.drop()
  })

  const addressOf = (index: number): string =>
    /"url":"(http:[^"]+)"[^\n]*"msg":"listening"/.exec(stage.nodes[index]?.output ?? '')?.[1] ?? ''

  /** Both ways, with the agent's answer handed to each node in turn: one of them does not have the number. */
  async function converse(topic: string): Promise<void> {
    const id = await stage.whatsapp.send(CUSTOMER, { to: OWNER, text: `${topic}?` })
    const { contactId } = await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
    for (const index of stage.nodes.keys()) {
      stage.ghl.setDeliveryUrl(`${addressOf(index)}/ghl/provider/webhook`)
      const text = `${topic}, by node ${index}`
      const { messageId } = stage.ghl.agentReply({ locationId, contactId, message: text })
      await stage.whatsapp.waitForMessage(
        CUSTOMER,
        (message) => !message.fromMe && message.text === text,
        15_000,
      )
      await stage.ghl.waitForStatus(messageId, 'delivered')
    }
  }

  /** A pairing that is asked for, watched and scanned at every node. */
  async function showsQrEverywhere(): Promise<void> {
    const path = `/ghl/location/${locationId}/session`
    const headers = { authorization: `Bearer ${stage.bridge.apiKey}` }
    for (const index of stage.nodes.keys()) {
      const created = await fetch(addressOf(index) + path, { method: 'POST', headers })
      const { session_id: id } = (await created.json()) as { session_id: string } // our own contract
      const shown = stage.nodes.map((_node, at) =>
        firstEvent(`${addressOf(at)}${path}/${id}/events`, headers, ({ qr }) => qr !== null),
      )
      const [one, other] = await Promise.all(shown)
      expect(one?.qr).toBe(other?.qr)
      expect((await fetch(`${addressOf(index)}${path}/${id}`, { method: 'DELETE', headers })).status).toBe(
        204,
      )
    }
  }

  it('deliver what lands on either of them, and show the same QR live, by Realtime', async () => {
    await waitFor('both nodes in the channel', () => front.realtime?.joins === 2)
    await converse('With Realtime')
    await showsQrEverywhere()
    expect(front.realtime?.broadcasts).toBeGreaterThan(0)
  }, 60_000)

  it('do the same by looking once a second when Realtime is away', async () => {
    front.realtime?.goDown()
    const before = front.realtime?.broadcasts
    await converse('Without Realtime')
    await showsQrEverywhere()
    expect(front.realtime?.broadcasts).toBe(before)
  }, 60_000)

  it('notice without Realtime that the app was removed and is back, whoever of them was told', async () => {
    const isConnected = () =>
      stage.whatsapp.stats().companions.some(({ phone, connected }) => phone === OWNER && connected)
    const { pairings } = stage.whatsapp.stats()
    for (const index of stage.nodes.keys()) {
      stage.ghl.setWebhookUrl(`${addressOf(index)}/ghl/webhook`)
      stage.ghl.uninstallFrom(locationId)
      await waitFor('the number to stop', () => !isConnected(), 30_000)
      await stage.install(locationId)
      await waitFor('the number to be back', isConnected, 30_000)
    }
    await converse('Back again')
    expect(stage.whatsapp.stats().pairings).toBe(pairings)
    expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
    expect(stage.ghl.stats().oddities).toEqual([])
  }, 120_000)
})

/** Reads a stream of session events until one is as wanted. */
async function firstEvent(
  url: string,
  headers: Record<string, string>,
  isWanted: (session: SessionView) => boolean,
): Promise<SessionView> {
  const response = await fetch(url, { headers })
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += new TextDecoder().decode(chunk as Uint8Array)
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const data = /^data: (.+)$/m.exec(block)?.[1]
      const session = data === undefined ? undefined : (JSON.parse(data) as SessionView) // our own contract
      if (session === undefined || !isWanted(session)) continue
      return session
    }
  }
  throw new Error('the stream ended')
}
