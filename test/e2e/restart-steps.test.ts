/**
 * Every numbered step of the two paths (bridge/whatsapp-to-ghl.ts, bridge/ghl-to-whatsapp.ts): the real server dies right
 * after it, by kill -9, and starts again. Steps that follow each other within a millisecond are held apart from outside:
 * by locks in the database, by what the GHL sandbox answers late, and by what the WhatsApp sandbox does not pass on.
 */
import type { BinaryNode } from '@whiskeysockets/baileys'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { Stage } from '../../sandbox/stage.ts'
import type { Faults, Passage } from '../../sandbox/whatsapp/index.ts'
import { freshDatabase, type TestDatabase } from '../support/postgres.ts'
import { waitFor } from '../support/wait-for.ts'

const OWNER = '15550009999'
const ANA = '15551230001'
const INBOUND = 'POST /conversations/messages/inbound'
const OTHERS = `pg_stat_activity where datname = current_database() and application_name <> 'test'`
const UNTIL_KILLED = { kind: 'delay', ms: 60_000 } as const

/** Shows every stanza of the companion to the test, which may stop it. */
class Wire implements Faults {
  /** Called with what passes; `false` stops the stanza. */
  watch: (passage: Passage) => boolean = () => true
  readonly #stopped: (() => void)[] = []

  pass(passage: Passage, forward: (stanza: BinaryNode) => void): void {
    const isCompanion = passage.account === OWNER && passage.deviceId !== 0
    if (!isCompanion || this.watch(passage)) forward(passage.stanza)
    else
      this.#stopped.push(() => {
        forward(passage.stanza)
      })
  }

  /** Everything passes from now on; with `late`, what was stopped too. */
  clear(late = false): void {
    this.watch = () => true
    for (const forward of this.#stopped.splice(0)) if (late) forward()
  }

  /** Resolves when the first stanza that fits has come; it and its like are stopped unless `passes`. */
  async meets(fits: (passage: Passage) => boolean, passes = false): Promise<void> {
    let isMet = false
    this.watch = (passage) => {
      if (!fits(passage)) return true
      isMet = true
      return passes
    }
    await waitFor('the stanza', () => isMet)
  }
}

/** Two sessions of our own in the database: one holds the server up, the other looks at what it has committed. */
class Hold {
  readonly #locks: pg.Client
  readonly #eyes: pg.Client

  constructor(url: string) {
    this.#locks = new pg.Client({ connectionString: url, application_name: 'test' })
    this.#eyes = new pg.Client({ connectionString: url, application_name: 'test' })
  }

  async open(): Promise<void> {
    await Promise.all([this.#locks.connect(), this.#eyes.connect()])
  }

  async close(): Promise<void> {
    await Promise.all([this.#locks.end(), this.#eyes.end()])
  }

  /** Nobody writes to these tables until {@link letGo}; `access exclusive` stops readers too. */
  async tables(names: string, mode = 'exclusive'): Promise<void> {
    await this.#locks.query('begin')
    await this.#locks.query(`lock table ${names} in ${mode} mode`)
  }

  async lanes(like: string): Promise<void> {
    await this.#locks.query('begin')
    await this.#locks.query('select from bridge.lanes where key like $1 for update', [like])
  }

  async until(what: string, sql: string): Promise<void> {
    await waitFor(what, async () => (await this.#eyes.query(sql)).rowCount !== 0)
  }

  /** What is left of a dead server in the database ends without effect, and its lease at once instead of after 20 s. */
  async bury(): Promise<void> {
    await this.#eyes.query(`select pg_terminate_backend(pid) from ${OTHERS}`)
    await waitFor('the connections to end', async () => {
      return (await this.#eyes.query(`select from ${OTHERS}`)).rowCount === 0
    })
    await this.letGo()
    for (const table of ['leases', 'nodes']) {
      await this.#eyes.query(`update bridge.${table} set until = clock_timestamp() - interval '1 second'`)
    }
  }

  async letGo(): Promise<void> {
    await this.#locks.query('rollback')
  }
}

describe('killed right after a step', () => {
  const wire = new Wire()
  let database: TestDatabase
  let hold: Hold
  let stage: Stage
  let locationId: string
  let contactId: string
  let count = 0

  beforeAll(async () => {
    database = await freshDatabase('empty')
    hold = new Hold(database.url)
    await hold.open()
    stage = await Stage.set({
      env: { DATABASE_URL: database.url, LOG_LEVEL: 'info' },
      whatsapp: { faults: wire },
      ghl: {
        statusEarlyMs: 0,
        settings: { retry: { maxRetries: 1_000, baseMs: 50, capMs: 200, timeoutMs: 10_000 } },
      },
    })
    stage.whatsapp.addAccount({ phone: OWNER, name: 'Dental Care' })
    stage.whatsapp.addAccount({ phone: ANA, name: 'Ana' })
    locationId = stage.ghl.addLocation({ name: 'Dental Care' }).id
    await stage.bridge.start()
    await stage.install(locationId)
    await stage.pair(locationId, OWNER)
    const id = await stage.whatsapp.send(ANA, { to: OWNER, text: 'hello' })
    contactId = (await stage.ghl.waitForMessage(({ altId }) => altId === id, { locationId })).contactId
    await stage.ghl.waitForMessage(({ altId }) => altId === id)
  }, 60_000)
  afterAll(async () => {
    await stage.strike()
    await hold.close()
    await database.drop()
  })
  afterEach(async () => {
    wire.clear()
    stage.ghl.faults.clear()
    await hold.letGo()
  })

  const fresh = (what: string) => {
    count += 1
    return `${what} ${count}`
  }

  const dieAndComeBack = async () => {
    await stage.bridge.kill()
    wire.clear()
    stage.ghl.faults.clear()
    await hold.bury()
    await stage.bridge.start()
  }

  const inGhl = (texts: readonly string[]) =>
    stage.ghl.messages(locationId).flatMap(({ body }) => (texts.includes(body) ? [body] : []))
  const onAnasPhone = (texts: readonly string[]) =>
    stage.whatsapp
      .messages(ANA)
      .flatMap(({ fromMe, text = '' }) => (!fromMe && texts.includes(text) ? [text] : []))

  const anaWrites = (text: string) => stage.whatsapp.send(ANA, { to: OWNER, text })
  const agentWrites = (message: string) => stage.ghl.agentReply({ locationId, contactId, message }).messageId

  /** The message and one that is written after the restart are there once, in order. */
  const expectInGhlOnce = async (text: string) => {
    const behind = fresh('behind it')
    await anaWrites(behind)
    await waitFor('both in GHL', () => inGhl([text, behind]).length >= 2)
    expect(inGhl([text, behind])).toEqual([text, behind])
  }
  const expectWithAnaOnce = async (text: string, messageId: string) => {
    const behind = fresh('behind it')
    const behindId = agentWrites(behind)
    await waitFor('both on the phone', () => onAnasPhone([text, behind]).length >= 2)
    expect(onAnasPhone([text, behind])).toEqual([text, behind])
    for (const id of [messageId, behindId]) {
      const shown = await stage.ghl.waitForStatus(id, 'delivered', 15_000)
      // Told twice is as good as once; it never goes back.
      const statuses = new Set(shown.statusHistory.map(({ status }) => status))
      expect([...statuses]).toEqual(['pending', 'delivered'])
    }
  }

  const isReceiptFor = (id: string) => (passage: Passage) =>
    passage.direction === 'in' && passage.stanza.tag === 'receipt' && passage.stanza.attrs['id'] === id
  const isOurMessage = ({ direction, stanza }: Passage) => direction === 'in' && stanza.tag === 'message'
  const isItsAck = ({ direction, stanza }: Passage) =>
    direction === 'out' && stanza.tag === 'ack' && stanza.attrs['class'] === 'message'
  const isStuck = (fn: string) =>
    `select from ${OTHERS} and wait_event_type = 'Lock' and query like '%${fn}%'`

  describe('from WhatsApp to GHL', () => {
    it('1 journal: WhatsApp has its receipt, and nothing but the journal knows the message', async () => {
      await hold.tables('bridge.messages')
      const text = fresh('journaled')
      const id = await anaWrites(text)
      await wire.meets(isReceiptFor(id), true)
      await hold.until(
        'the journal row',
        `select from bridge.journal where wa_message_id = '${id}' and settled_at is null
          and not exists (select from bridge.messages where wa_message_id = '${id}')`,
      )
      await dieAndComeBack()
      await expectInGhlOnce(text)
    })

    it('1 journal, before WhatsApp has its receipt: it delivers again what cannot be decrypted again', async () => {
      await hold.tables('bridge.messages')
      const text = fresh('journaled, no receipt')
      const seen = wire.meets(({ direction, stanza }) => direction === 'in' && stanza.tag === 'receipt')
      const id = await anaWrites(text)
      await seen
      await hold.until('the journal row', `select from bridge.journal where wa_message_id = '${id}'`)
      await dieAndComeBack()
      await expectInGhlOnce(text)
    })

    it('1 journal, of what the business typed on its phone: in GHL once, as outbound, and not sent again', async () => {
      await hold.tables('bridge.messages')
      const text = fresh('typed on the phone')
      const id = await stage.whatsapp.send(OWNER, { to: ANA, text })
      await hold.until(
        'the journal row',
        `select from bridge.journal where wa_message_id = '${id}' and settled_at is null
          and not exists (select from bridge.messages where wa_message_id = '${id}')`,
      )
      await dieAndComeBack()
      await expectInGhlOnce(text)
      expect(stage.ghl.messages(locationId).find(({ body }) => body === text)?.direction).toBe('outbound')
      expect(onAnasPhone([text])).toEqual([text])
    })

    it('3 and 4 settle, record, enqueue: the job waits for whoever comes', async () => {
      stage.ghl.faults.add({ route: INBOUND, effect: UNTIL_KILLED })
      const text = fresh('enqueued')
      await anaWrites(text)
      await waitFor('the call', () =>
        stage.ghl.calls({ route: INBOUND }).some(({ status }) => status === null),
      )
      expect(inGhl([text])).toEqual([])
      await dieAndComeBack()
      await expectInGhlOnce(text)
    })

    it('5 contact: made at GHL, and not known to us', async () => {
      const ben = '15551230002'
      stage.whatsapp.addAccount({ phone: ben, name: 'Ben' })
      stage.ghl.faults.add({ route: 'POST /contacts/upsert', when: 'after', effect: UNTIL_KILLED })
      const text = fresh('from somebody new')
      await stage.whatsapp.send(ben, { to: OWNER, text })
      await waitFor('the contact', () => stage.ghl.contacts.byPhone(locationId, `+${ben}`))
      await dieAndComeBack()
      await waitFor('it in GHL', () => inGhl([text]).length > 0)
      await expectInGhlOnce(text)
      const bens = stage.ghl.contacts
        .list(locationId)
        .filter((contact) => contact.text['phone'] === `+${ben}`)
      expect(bens).toHaveLength(1)
    })

    it('5 add to GHL: added, and GHL’s answer never came', async () => {
      stage.ghl.faults.add({ route: INBOUND, when: 'after', effect: UNTIL_KILLED })
      const text = fresh('added')
      await anaWrites(text)
      await waitFor('it in GHL', () => inGhl([text]).length > 0)
      await dieAndComeBack()
      await expectInGhlOnce(text)
    })

    it('6 record the pair: recorded, and the job not ended', async () => {
      stage.ghl.faults.add({ route: INBOUND, when: 'after', effect: { kind: 'delay', ms: 1_000 } })
      const text = fresh('recorded')
      const id = await anaWrites(text)
      await waitFor('it in GHL', () => inGhl([text]).length > 0)
      await hold.lanes('in:%')
      await hold.until(
        'the pair',
        `select from bridge.messages where wa_message_id = '${id}' and ghl_message_id is not null`,
      )
      await hold.until('the end of the job to wait', isStuck('complete'))
      await dieAndComeBack()
      await expectInGhlOnce(text)
    })
  })

  describe('from GHL to WhatsApp', () => {
    it('2 record and enqueue: GHL has its 200, and nothing else has happened', async () => {
      await hold.tables('bridge.sessions', 'access exclusive')
      const text = fresh('accepted')
      const messageId = agentWrites(text)
      await stage.ghl.waitForPost((post) => post.messageId === messageId && post.state === 'accepted')
      expect(onAnasPhone([text])).toEqual([])
      await dieAndComeBack()
      await expectWithAnaOnce(text, messageId)
    })

    it('2 record and enqueue, before GHL has its 200: it delivers again', async () => {
      await hold.tables('bridge.sessions', 'access exclusive')
      const text = fresh('accepted, no answer')
      const messageId = agentWrites(text)
      // GHL has not read the answer yet when the row is seen, or has: both must come out alike.
      await hold.until('the row', `select from bridge.messages where ghl_message_id = '${messageId}'`)
      await dieAndComeBack()
      await expectWithAnaOnce(text, messageId)
    })

    it('3 and 4 which number, which chat, composed and stored: nothing is on the wire', async () => {
      await hold.tables('bridge.session_keys')
      const text = fresh('composed')
      const messageId = agentWrites(text)
      await hold.until(
        'the composed message',
        `select from bridge.messages where ghl_message_id = '${messageId}' and composed is not null`,
      )
      await hold.until('the ratchet step to wait', isStuck('fenced'))
      await dieAndComeBack()
      await expectWithAnaOnce(text, messageId)
    })

    it('4 sent, and lost on the way', async () => {
      const text = fresh('sent and lost')
      const lost = wire.meets(isOurMessage)
      const messageId = agentWrites(text)
      await lost
      await dieAndComeBack()
      await expectWithAnaOnce(text, messageId)
    })

    it('4 sent: with the customer, and the server’s ack never came', async () => {
      const text = fresh('sent')
      const unacked = wire.meets(isItsAck)
      const messageId = agentWrites(text)
      await unacked
      await waitFor('it on the phone', () => onAnasPhone([text]).length > 0)
      await dieAndComeBack()
      await expectWithAnaOnce(text, messageId)
    })

    it('4 sent: the ack was seen, and sent not recorded', async () => {
      const text = fresh('acked')
      const held = wire.meets(isOurMessage)
      const messageId = agentWrites(text)
      await held
      await hold.tables('bridge.messages')
      wire.clear(true)
      await waitFor('it on the phone', () => onAnasPhone([text]).length > 0)
      await hold.until('sent to be recorded', isStuck('fenced'))
      await dieAndComeBack()
      await expectWithAnaOnce(text, messageId)
    })

    it('5 sent is recorded, and the job not ended', async () => {
      stage.whatsapp.phone(ANA).goOffline()
      const text = fresh('sent and recorded')
      const held = wire.meets(isOurMessage)
      const messageId = agentWrites(text)
      await held
      await hold.lanes('out:%')
      wire.clear(true)
      await hold.until(
        'sent',
        `select from bridge.messages where ghl_message_id = '${messageId}' and state = 'sent'`,
      )
      await hold.until('the end of the job to wait', isStuck('complete'))
      await dieAndComeBack()
      stage.whatsapp.phone(ANA).goOnline()
      await expectWithAnaOnce(text, messageId)
    })

    it('6 a receipt that was not recorded is not acknowledged, and comes again', async () => {
      stage.whatsapp.phone(ANA).goOffline()
      const text = fresh('receipt not recorded')
      const messageId = agentWrites(text)
      await hold.until(
        'sent',
        `select from bridge.messages where ghl_message_id = '${messageId}' and state = 'sent'`,
      )
      await hold.tables('bridge.messages')
      stage.whatsapp.phone(ANA).goOnline()
      await hold.until('the receipt to wait', isStuck('fenced'))
      await dieAndComeBack()
      await expectWithAnaOnce(text, messageId)
    })

    it('6 the receipt is recorded, and GHL not told', async () => {
      const route = 'PUT /conversations/messages/:messageId/status'
      stage.ghl.faults.add({ route, effect: UNTIL_KILLED })
      const text = fresh('receipt recorded')
      const messageId = agentWrites(text)
      await waitFor('the call', () => stage.ghl.calls({ route }).some(({ status }) => status === null))
      expect(stage.ghl.message(messageId)?.status).toBe('pending')
      await dieAndComeBack()
      await expectWithAnaOnce(text, messageId)
    })

    it('6 GHL was told, and we do not know', async () => {
      const route = 'PUT /conversations/messages/:messageId/status'
      stage.ghl.faults.add({ route, when: 'after', effect: UNTIL_KILLED })
      const text = fresh('GHL told')
      const messageId = agentWrites(text)
      await stage.ghl.waitForStatus(messageId, 'delivered')
      await dieAndComeBack()
      await expectWithAnaOnce(text, messageId)
    })
  })

  it('asked for no QR again, met nothing unknown, and owes nothing', async () => {
    expect(stage.whatsapp.stats()).toMatchObject({ pairings: 1, unknownStanzas: {} })
    await hold.until('an empty outbox', 'select where not exists (select from bridge.jobs)')
    const oddities = stage.ghl.stats().oddities
    expect(oddities).toEqual([])
  })
})
