/** Two real servers on one Postgres behind one address: whoever is asked, the owner of the location does it. */
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { BridgeProcess } from '../../sandbox/bridge-process.ts'
import { type SessionView, Stage } from '../../sandbox/stage.ts'
import { judge, type Sent } from '../chaos/judge.ts'
import { freshDatabase, type TestDatabase } from '../support/postgres.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const CUSTOMERS = ['15551230001', '15551230002', '15551230003'] as const
/** How long a dead node's leases last, and a beat of the others (bridge/leases.ts). */
const TAKEOVER_MS = 25_000

interface LogLine {
  /** ISO 8601. */
  readonly time: string
  readonly msg: string
  readonly url?: string
  readonly disconnectCode?: number | null
}

const linesOf = (node: BridgeProcess): LogLine[] =>
  node.output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LogLine] : [])) // pino's own

/** A node's own address, which the front hides. */
const addressOf = (node: BridgeProcess): string =>
  linesOf(node).findLast(({ msg }) => msg === 'listening')?.url ?? ''

describe('two nodes on one database', () => {
  let database: TestDatabase
  let observer: pg.Client
  let stage: Stage
  let locationId: string
  let sessionId: string
  const contacts = new Map<string, string>()
  let load: Load | undefined

  beforeAll(async () => {
    database = await freshDatabase('empty')
    observer = new pg.Client({ connectionString: database.url })
    await observer.connect()
    stage = await Stage.set({
      nodes: 2,
      env: { DATABASE_URL: database.url, LOG_LEVEL: 'info' },
      ghl: { statusEarlyMs: 0, rateLimit: PLENTY, settings: { retry: SOON } },
    })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    for (const phone of CUSTOMERS) stage.whatsapp.addAccount({ phone, name: `Customer ${phone.slice(-1)}` })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    for (const node of stage.nodes) await node.start()
    await stage.install(locationId)
    sessionId = await stage.pair(locationId, OWNER)
    for (const phone of CUSTOMERS) {
      const id = await stage.whatsapp.send(phone, { to: OWNER, text: 'hello' })
      const filed = await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })
      contacts.set(phone, filed.contactId)
    }
  }, 60_000)
  afterEach(async () => {
    await load?.stop()
  })
  afterAll(async () => {
    await stage.strike()
    await observer.end()
    await database.drop()
  })

  /** The node on which the number became ready last. */
  const ownerNow = (): { owner: BridgeProcess; other: BridgeProcess } => {
    const readyAt = (node: BridgeProcess) =>
      Date.parse(linesOf(node).findLast(({ msg }) => msg === 'number is ready')?.time ?? '1970-01-01')
    const [other, owner] = stage.nodes.toSorted((one, two) => readyAt(one) - readyAt(two))
    if (owner === undefined || other === undefined) throw new Error('there are two nodes')
    return { owner, other }
  }

  const customerSees = (phone: string, text: string) =>
    stage.whatsapp.waitForMessage(phone, (message) => !message.fromMe && message.text === text, 15_000)

  const askAt = (node: BridgeProcess, method: string, path: string, body?: object) =>
    fetch(addressOf(node) + path, {
      method,
      headers: {
        authorization: `Bearer ${node.apiKey}`,
        ...(body && { 'content-type': 'application/json' }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })

  it('a webhook that lands on either node is delivered by the owner', async () => {
    const [ana] = CUSTOMERS
    const front = stage.ghl.settings.deliveryUrl
    for (const [index, node] of stage.nodes.entries()) {
      stage.ghl.setDeliveryUrl(`${addressOf(node)}/ghl/provider/webhook`)
      const text = `through node ${index}`
      const contactId = contacts.get(ana) ?? ''
      const { messageId } = stage.ghl.agentReply({ locationId, contactId, message: text })
      await customerSees(ana, text)
      await stage.ghl.waitForStatus(messageId, 'delivered')
    }
    stage.ghl.setDeliveryUrl(front)
    expect(stage.whatsapp.stats().companions.filter(({ phone }) => phone === OWNER)).toHaveLength(1)
  })

  it('a number is paired, restarted and logged out at either node', async () => {
    const { owner, other } = ownerNow()
    for (const [phone, asked, shown] of [
      ['15550008881', owner, other],
      ['15550008882', other, owner],
    ] as const) {
      stage.whatsapp.addAccount({ phone, name: 'Another Branch' })
      const path = `/ghl/location/${locationId}/session`
      const created = await askAt(asked, 'POST', path, {})
      const { session_id: id } = (await created.json()) as { session_id: string } // our own contract
      const shows = async (isWanted: (session: SessionView) => boolean, at = shown) => {
        const { sessions } = (await (await askAt(at, 'GET', path)).json()) as { sessions: SessionView[] } // as above
        return sessions.find((session) => session.id === id && isWanted(session))
      }
      const waiting = await waitFor('a QR', () => shows(({ qr }) => qr !== null))
      await stage.whatsapp.scan(phone, waiting.qr ?? '')
      await waitFor('the number', () => shows(({ status }) => status === 'ready'))
      const logins = stage.whatsapp.stats().logins
      expect((await askAt(shown, 'POST', `${path}/${id}/restart`)).status).toBe(202)
      await waitFor('the new login', () => stage.whatsapp.stats().logins > logins)
      await waitFor('the number again', () => shows(({ status }) => status === 'ready'))
      expect((await askAt(asked, 'DELETE', `${path}/${id}`)).status).toBe(204)
      expect(await shows(() => true)).toBeUndefined()
    }
  })

  it('SIGTERM hands the number over in seconds, and messages go on without loss', async () => {
    const { owner, other } = ownerNow()
    load = new Load(stage, locationId, contacts)
    await load.isUnderWay()
    const before = linesOf(other).length
    const pairings = stage.whatsapp.stats().pairings
    const askedAtMs = Date.now()
    const stopping = owner.stop()
    const taken = await waitFor('the number on the other node', () =>
      linesOf(other)
        .slice(before)
        .find(({ msg }) => msg === 'number is ready'),
    )
    expect(Date.parse(taken.time) - askedAtMs).toBeLessThan(3_500)
    expect(await stopping).toBe(0)
    await load.endsClean()
    expect(await stage.session(locationId, sessionId)).toMatchObject({ status: 'ready', problem: null })
    expect(stage.whatsapp.stats().pairings).toBe(pairings)
  })

  it('a node that joins takes its share, and messages go on without loss', async () => {
    load = new Load(stage, locationId, contacts)
    await load.isUnderWay()
    const { other: stopped } = ownerNow()
    await stopped.start()
    await waitFor('one lease each', async () => {
      const counted = await observer.query(
        'select node from bridge.leases where until > clock_timestamp() group by node having count(*) = 1',
      )
      return counted.rowCount === 2
    })
    await load.endsClean()
    await stage.sessionUntil(locationId, sessionId, ({ status }) => status === 'ready')
  })

  it('kill -9 of the owner is made good within the time of a lease', async () => {
    const { owner, other } = ownerNow()
    load = new Load(stage, locationId, contacts)
    await load.isUnderWay()
    const before = linesOf(other).length
    const killedAtMs = Date.now()
    await owner.kill()
    const taken = await waitFor(
      'the takeover',
      () =>
        linesOf(other)
          .slice(before)
          .find(({ msg }) => msg === 'number is ready'),
      TAKEOVER_MS + 5_000,
    )
    expect(Date.parse(taken.time) - killedAtMs).toBeLessThan(TAKEOVER_MS + 2_000)
    await load.endsClean()
    expect(await stage.session(locationId, sessionId)).toMatchObject({ status: 'ready', problem: null })
  }, 120_000)

  it('never threw the number out of its own connection, and never asked for a QR again', () => {
    const codes = stage.nodes.flatMap((node) => linesOf(node).map(({ disconnectCode }) => disconnectCode))
    expect(codes).not.toContain(440)
    const paired = stage.whatsapp.stats().companions.filter(({ phone }) => phone === OWNER)
    expect(paired).toMatchObject([{ connected: true }])
    expect(stage.whatsapp.stats().unknownStanzas).toEqual({})
    expect(stage.ghl.stats().oddities).toEqual([])
  })
})

/** The backlog of a dead node need not take its minutes here. */
const PLENTY = { max: 2_000, intervalMs: 1_000, perDay: 1_000_000, window: 'fixed' } as const
/** GHL repeats for days; here the gaps are short. */
const SOON = { maxRetries: 1_000, baseMs: 50, capMs: 400, timeoutMs: 5_000 }

/** Customers and agents write from the start until {@link Load.endsClean}. */
class Load {
  readonly #stage: Stage
  readonly #locationId: string
  readonly #contacts: ReadonlyMap<string, string>
  readonly #inbound: Sent[] = []
  readonly #outbound: Sent[] = []
  readonly #name = Date.now().toString(36)
  readonly #stop = new AbortController()
  readonly #running: Promise<unknown>

  constructor(stage: Stage, locationId: string, contacts: ReadonlyMap<string, string>) {
    this.#stage = stage
    this.#locationId = locationId
    this.#contacts = contacts
    this.#running = Promise.all(
      [...contacts].flatMap(([phone, contactId]) => [this.#customer(phone), this.#agent(phone, contactId)]),
    )
  }

  async isUnderWay(): Promise<void> {
    const enough = this.#contacts.size * 3
    await waitFor('some load', () => Math.min(this.#inbound.length, this.#outbound.length) >= enough)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** No more is written; everything arrives, once and in order. */
  async endsClean(): Promise<void> {
    await this.stop()
    await waitFor(
      'everything to arrive',
      () => this.#verdicts().every(({ lost }) => lost.length === 0),
      60_000,
    )
    for (const verdict of this.#verdicts()) {
      expect(verdict).toMatchObject({ lost: [], doubled: [], reordered: [] })
      expect(verdict.total).toBeGreaterThan(CUSTOMERS.length)
    }
  }

  async #customer(phone: string): Promise<void> {
    for (let count = 1; !this.#stop.signal.aborted; count += 1) {
      const text = `customer ${phone} ${this.#name} ${count}`
      const mark = await this.#stage.whatsapp.send(phone, { to: OWNER, text })
      this.#inbound.push({ chat: phone, mark })
      await this.#breathe()
    }
  }

  /** Goes on when GHL has handed the last one over: GHL promises no order between posts that it has to repeat. */
  async #agent(phone: string, contactId: string): Promise<void> {
    const { ghl } = this.#stage
    for (let count = 1; !this.#stop.signal.aborted; count += 1) {
      const mark = `agent ${phone} ${this.#name} ${count}`
      const { messageId } = ghl.agentReply({ locationId: this.#locationId, contactId, message: mark })
      this.#outbound.push({ chat: phone, mark })
      await ghl.waitForPost((post) => post.messageId === messageId && post.state === 'accepted', 30_000)
      await this.#breathe()
    }
  }

  /** The pace of the load, not a wait for anything. */
  async #breathe(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 150))
  }

  #verdicts() {
    const { ghl, whatsapp } = this.#stage
    const filed = Map.groupBy(ghl.messages(this.#locationId), ({ contactId }) => contactId)
    const inbound = [...this.#contacts].map(
      ([phone, contactId]) =>
        [phone, (filed.get(contactId) ?? []).flatMap(({ altId }) => altId ?? [])] as const,
    )
    const outbound = [...this.#contacts.keys()].map(
      (phone) =>
        [
          phone,
          whatsapp.messages(phone).flatMap(({ fromMe, text }) => (fromMe ? [] : (text ?? []))),
        ] as const,
    )
    return [judge(this.#inbound, new Map(inbound)), judge(this.#outbound, new Map(outbound))]
  }
}
