/** The past of a number in GHL: the real server, killed in the middle of the import, and a customer who writes meanwhile. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const CUSTOMERS = ['15551230001', '15551230002', '15551230003']
const EACH = 10

interface Progress {
  readonly state: string
  readonly days: number
  readonly found: number
  readonly imported: number
  readonly failed: number
}

describe('the import of history', () => {
  let stage: Stage
  let locationId: string
  let sessionId: string
  /** By WhatsApp id, in the order they were said. */
  const said = new Map<string, { readonly text: string; readonly phone: string; readonly fromMe: boolean }>()

  beforeAll(async () => {
    stage = await Stage.set({ env: { LOG_LEVEL: 'info' } })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    for (const phone of CUSTOMERS) stage.whatsapp.addAccount({ phone, name: `Customer ${phone.slice(-1)}` })
    for (let n = 0; n < EACH; n++) {
      for (const phone of CUSTOMERS) {
        const fromMe = n % 3 === 2
        const [from, to] = fromMe ? [OWNER, phone] : [phone, OWNER]
        const text = `${phone.slice(-1)}-${n}`
        const id = await stage.whatsapp.send(from, { to, text })
        await stage.whatsapp.waitForMessage(OWNER, (message) => message.id === id)
        said.set(id, { text, phone, fromMe })
      }
    }
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    await stage.bridge.operator('PUT', `/ghl/location/${locationId}/settings`, { historyDays: 30 })
    sessionId = await stage.pair(locationId, OWNER)
  }, 60_000)
  afterAll(async () => {
    await stage.strike()
  })

  const progress = async (): Promise<Progress> => {
    const path = `/ghl/location/${locationId}/session/${sessionId}/history`
    return (await (await stage.bridge.operator('GET', path)).json()) as Progress // our own contract
  }
  const inGhl = () => stage.ghl.messages(locationId)

  it('goes on after a kill, oldest first, dated, each message once, with what is live in front', async () => {
    await waitFor('some of it in GHL', () => inGhl().length >= 8, 40_000)
    expect(await progress()).toMatchObject({ state: 'importing', days: 30, found: said.size, failed: 0 })
    await stage.bridge.kill()
    const live = await stage.whatsapp.send(CUSTOMERS[0] ?? '', { to: OWNER, text: 'live' })
    await stage.bridge.start()
    await stage.ghl.waitForMessage(({ altId }) => altId === live, { locationId })
    expect(inGhl().length).toBeLessThan(said.size)
    await waitFor('the end', async () => (await progress()).state === 'done', 60_000)
    expect(await progress()).toMatchObject({
      state: 'done',
      found: said.size,
      imported: said.size,
      failed: 0,
    })

    const messages = inGhl()
    expect(messages.map(({ altId }) => altId).sort()).toEqual([...said.keys(), live].sort())
    for (const phone of CUSTOMERS) {
      const first = messages.find(({ altId }) => said.get(altId ?? '')?.phone === phone)
      const thread = messages
        .filter(({ contactId, altId }) => contactId === first?.contactId && altId !== live)
        .sort((one, other) => one.dateAdded.getTime() - other.dateAdded.getTime())
      const wanted = [...said.values()].filter((each) => each.phone === phone)
      expect(thread.map(({ body, direction }) => [body, direction])).toEqual(
        wanted.map(({ text, fromMe }) => [text, fromMe ? 'outbound' : 'inbound']),
      )
    }
    expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
    expect(stage.ghl.stats().oddities).toEqual([])
    // Nothing of it went to a customer.
    for (const phone of CUSTOMERS)
      expect(stage.whatsapp.messages(phone).every(({ id }) => said.has(id) || id === live)).toBe(true)
  }, 120_000)
})
