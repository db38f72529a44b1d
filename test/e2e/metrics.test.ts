/** What `/metrics` of the running server says of a number, messages both ways, a failure of GHL and an ignored message. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550004411'
const ANA = '15551234411'

describe('GET /metrics', () => {
  let stage: Stage
  let locationId: string

  beforeAll(async () => {
    stage = await Stage.set({ ghl: { statusEarlyMs: 200 } })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana Lopez' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    await stage.pair(locationId, OWNER)
  })
  afterAll(async () => {
    await stage.strike()
  })

  const scrape = async () => {
    const answer = await stage.bridge.operator('GET', '/metrics')
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
  }
  const value = (text: string, name: string): number =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.slice(name.length + 1),
    )
  const makeKey = async (scopes: string[], location?: string): Promise<string> => {
    const answer = await stage.bridge.operator('POST', '/api/keys', {
      name: 'Watch',
      scopes,
      locationId: location,
    })
    return ((await answer.json()) as { key: string }).key // our own contract
  }
  const asKey = async (key: string): Promise<Response> =>
    await fetch(`${stage.bridge.url}/metrics`, { headers: { authorization: `Bearer ${key}` } })

  it('follows messages both ways, calls that fail, and the number', async () => {
    stage.ghl.faults.add({
      route: 'POST /conversations/messages/inbound',
      times: 1,
      effect: { kind: 'status', status: 500 },
    })
    const id = await stage.whatsapp.send(ANA, { to: OWNER, text: 'a secret toothache' })
    const filed = await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
    const { messageId } = stage.ghl.agentReply({
      locationId,
      contactId: filed.contactId,
      message: 'come at noon',
      attachments: [],
    })
    await stage.ghl.waitForStatus(messageId, 'delivered', 20_000)
    const ofOut = 'bridge_messages_last_day{direction="outbound",state="delivered"}'
    await waitFor('the receipt to be counted', async () => value((await scrape()).text, ofOut) === 1)

    const { status, type, text } = await scrape()
    expect([status, type]).toEqual([200, expect.stringMatching(/^text\/plain; version=0\.0\.4/)])
    expect(value(text, 'bridge_store_up')).toBe(1)
    expect(value(text, 'bridge_sessions{status="ready"}')).toBe(1)
    expect(value(text, 'bridge_installations{status="active"}')).toBe(1)
    expect(value(text, 'bridge_ghl_calls_total{outcome="ok"}')).toBeGreaterThanOrEqual(4)
    expect(value(text, 'bridge_ghl_calls_total{outcome="failed"}')).toBe(1)
    expect(value(text, 'bridge_ghl_breakers{state="closed"}')).toBeGreaterThanOrEqual(1)
    expect(value(text, 'bridge_queue_jobs{state="dead"}')).toBe(0)
    expect(value(text, 'bridge_locations_held')).toBe(1)
    expect(value(text, 'process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
    for (const told of [OWNER, ANA, 'Ana', 'Dental', 'toothache', 'noon', locationId])
      expect(text).not.toContain(told)
  })

  it('has a line of help for each metric, and only labels of few fixed words', async () => {
    const { text } = await scrape()
    const ours = [...text.matchAll(/^(bridge_\w+)(\{.*\})? /gm)].map(([, name = '']) => name)
    expect(new Set(ours).size).toBeGreaterThanOrEqual(12)
    for (const name of new Set(ours)) expect(text).toContain(`# HELP ${name} `)
    const labels = [...text.matchAll(/^bridge_\w+\{(.*)\} /gm)].flatMap(([, all = '']) => all.split(','))
    for (const label of labels)
      expect(label).toMatch(/^(direction|state|status|outcome|priority|reason)="[a-z_]+"$/)
  })

  it('opens to a key with the scope and every location, and to nobody else', async () => {
    expect((await fetch(`${stage.bridge.url}/metrics`)).status).toBe(401)
    expect((await asKey(await makeKey(['metrics']))).status).toBe(200)
    expect((await asKey(await makeKey(['proxy:read', 'messages:read']))).status).toBe(403)
    const confined = await asKey(await makeKey(['metrics'], locationId))
    expect([confined.status, await confined.json()]).toMatchObject([403, { error: { code: 'FORBIDDEN' } }])
  })
})
