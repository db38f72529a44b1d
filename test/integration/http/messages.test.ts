/** The message routes on a real store: what a caller reads is what is there, what he does is done there. */
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createMessageDesk } from '../../../src/bridge/message-desk.ts'
import type { SessionDesk, SplitDesk } from '../../../src/bridge/ports.ts'
import { RequestError } from '../../../src/core/errors.ts'
import { parseMessageId } from '../../../src/core/ids.ts'
import { createPageTokens } from '../../../src/http/page-token.ts'
import { createServer } from '../../../src/http/server.ts'
import { openPostgres } from '../../../src/store/postgres.ts'
import { notReached, onlyOperator } from '../../support/callers.ts'
import { freshDatabase, type TestDatabase } from '../../support/postgres.ts'
import { silentLog } from '../../support/silent-log.ts'
import {
  agentMessage,
  envelope,
  freshPerson,
  freshPlace,
  LEASE_MS,
  type Place,
  partsOf,
  type Subject,
  subjectOf,
} from '../store/subject.ts'

const API_KEY = 'operator-key-of-the-test'
const pageTokens = createPageTokens([randomBytes(32).toString('base64')], undefined)
const HELD = { code: 'HELD_TOO_OLD', message: 'held', action: 'Retry or discard.' }
const REFUSED = { code: 'WA_NOT_ON_WHATSAPP', message: 'not there', mayHaveHappened: false }

interface Listed {
  readonly messages: readonly { readonly id: string; readonly state: string }[]
  readonly nextCursor: string | null
}

describe('the message routes', () => {
  let target: TestDatabase
  let subject: Subject
  let app: Awaited<ReturnType<typeof createServer>>
  let place: Place
  let nudges = 0

  beforeAll(async () => {
    target = await freshDatabase()
    subject = subjectOf('postgres', await openPostgres(target.url, silentLog))
    const { store } = subject
    app = await createServer({
      bodyLimitBytes: 4_096,
      history: { find: () => Promise.resolve(undefined) },
      publicUrl: 'https://bridge.example',
      callers: { ...onlyOperator(API_KEY), pageTokens },
      accounts: notReached,
      desk: {} as SessionDesk, // not reached by these routes
      messageDesk: createMessageDesk({ messages: store.messages, nudge: () => nudges++ }),
      splitDesk: {} as SplitDesk, // not reached by these routes
      sessions: store.sessions,
      settings: store.settings,
      installations: store.installations,
      ping: () => store.ping(),
      stats: store.stats,
      frameAncestors: () => Promise.resolve([]),
      oauth: undefined,
      webhooks: {
        verify: () => false,
        parseDelivery: () => ({ ignored: 'empty', webhookId: 'none', locationId: undefined }),
        ignore: () => Promise.resolve(),
        isInstalled: () => Promise.resolve(false),
        accept: () => Promise.reject(new RequestError('FORBIDDEN', 'not in this test')),
        acceptEvent: () => Promise.resolve({ ignored: 'nothing' }),
      },
      log: silentLog,
    })
  })
  afterAll(async () => {
    await app.close()
    await subject.store.close()
    await target.drop()
  })
  beforeEach(async () => {
    await subject.run('delete from bridge.jobs; delete from bridge.lanes')
    place = await freshPlace(subject)
    nudges = 0
  })

  const call = (method: 'GET' | 'POST', url: string, body?: object) =>
    app.inject({
      method,
      url,
      headers: { authorization: `Bearer ${API_KEY}` },
      ...(body !== undefined && { payload: body }),
    })
  const list = async (query: string): Promise<Listed> => (await call('GET', `/api/messages?${query}`)).json()
  const here = () => `locationId=${place.locationId}`
  const deliver = (...texts: string[]) =>
    subject.store.messages.acceptOutbound(agentMessage(place), partsOf(...texts))
  const claimOne = async () => {
    const [job] = (await subject.store.outbox.claim(1, LEASE_MS)).jobs
    if (job === undefined) throw new Error('nothing to claim')
    return job
  }
  /** The id of a message that died. */
  async function dead(): Promise<string> {
    await deliver('hello')
    const job = await claimOne()
    await subject.store.messages.giveUp(job, REFUSED)
    return job.subject
  }
  async function held(): Promise<string> {
    await subject.store.messages.acceptOutbound(agentMessage(place), partsOf('late'), HELD)
    return (await list(`state=held&${here()}`)).messages[0]?.id ?? ''
  }

  it.each([
    ['GET', '/api/messages'],
    ['POST', '/api/messages/m1/retry'],
    ['POST', '/api/messages/m1/discard'],
    ['GET', '/api/ledger/loc1'],
  ] as const)('%s %s needs the operator’s key', async (method, url) => {
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
      const answer = await app.inject({ method, url, headers })
      expect([answer.statusCode, answer.json()]).toMatchObject([401, { error: { code: 'UNAUTHENTICATED' } }])
    }
  })

  it('show a message in the shape of the contract, with null for what is absent', async () => {
    const { lid } = freshPerson()
    const sent = envelope(place, lid)
    await subject.store.messages.acceptInbound(sent)
    const answer = await call('GET', `/api/messages?${here()}`)
    expect(answer.statusCode).toBe(200)
    const iso = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string
    expect(answer.json()).toEqual({
      messages: [
        {
          id: expect.any(String) as string,
          locationId: place.locationId,
          sessionId: place.sessionId,
          direction: 'inbound',
          kind: 'text',
          state: 'queued',
          chat: lid,
          waMessageId: sent.waMessageId,
          ghlMessageId: null,
          attempts: 0,
          nextAttemptAt: iso,
          error: null,
          contact: { name: 'Ana', phoneNumber: null, isGroup: false },
          queue: { ahead: 0, reason: null },
          writtenAt: null,
          discardedAt: null,
          preview: 'hello',
          createdAt: iso,
          updatedAt: iso,
        },
      ],
      nextCursor: null,
      total: null,
    })
  })

  it('show attempts, the next attempt and what is wrong', async () => {
    await deliver('x')
    const failure = { code: 'WA_SEND_TIMEOUT', message: 'no ack', mayHaveHappened: true }
    await subject.store.outbox.retry(await claimOne(), 60_000, failure)
    const [waiting] = (await list(here())).messages
    expect(waiting).toMatchObject({ attempts: 1, state: 'queued' })
    const { nextAttemptAt } = waiting as unknown as { nextAttemptAt: string }
    expect(Date.parse(nextAttemptAt)).toBeGreaterThan(Date.now() + 30_000)

    const id = await dead()
    const failed = (await list(`state=failed&${here()}`)).messages
    expect(failed).toMatchObject([
      {
        id,
        attempts: 1,
        nextAttemptAt: null,
        error: { code: 'WA_NOT_ON_WHATSAPP', message: 'not there', action: null },
      },
    ])
  })

  it('give pages of the asked size, newest first, each message once', async () => {
    for (let turn = 0; turn < 5; turn++) await deliver(`text ${turn}`)
    const seen: string[] = []
    let cursor: string | null = ''
    do {
      const page: Listed = await list(`${here()}&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`)
      expect(page.messages.length).toBeLessThanOrEqual(2)
      seen.push(...page.messages.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor !== null)
    expect(new Set(seen).size).toBe(5)
    expect((await list(`${here()}&limit=200`)).messages.map(({ id }) => id)).toEqual(seen)
  })

  it('list by state and by session', async () => {
    await subject.store.messages.acceptInbound(envelope(place, freshPerson().lid))
    const id = await held()
    expect((await list(`state=held&${here()}`)).messages.map((message) => message.id)).toEqual([id])
    expect((await list(`sessionId=${place.sessionId}`)).messages).toHaveLength(1)
    expect((await list(`sessionId=${place.sessionId}&state=read`)).messages).toEqual([])
  })

  it.each(['state=lost', 'limit=0', 'limit=201', 'limit=x', 'cursor=abc', 'locationId=a%20b', 'sessionId='])(
    'refuse the query %s with 400',
    async (query) => {
      const answer = await call('GET', `/api/messages?${query}`)
      expect([answer.statusCode, answer.json()]).toMatchObject([400, { error: { code: 'REQUEST_INVALID' } }])
    },
  )

  it('retry a dead message: queued again, with work for the worker, who is told', async () => {
    const id = await dead()
    const answer = await call('POST', `/api/messages/${id}/retry`)
    expect([answer.statusCode, answer.json()]).toMatchObject([
      200,
      { id, state: 'queued', error: null, attempts: 0 },
    ])
    expect(nudges).toBe(1)
    const jobs = (await subject.store.outbox.claim(9, LEASE_MS)).jobs
    expect(jobs.filter((job) => job.subject === id && job.kind === 'outbound')).toHaveLength(1)
  })

  it('retry a held message', async () => {
    const id = await held()
    const answer = await call('POST', `/api/messages/${id}/retry`)
    expect([answer.statusCode, answer.json()]).toMatchObject([200, { id, state: 'queued' }])
    expect((await claimOne()).subject).toBe(id)
  })

  it('discard a held message for good, and keep a dead one failed', async () => {
    const id = await held()
    const dropped = await call('POST', `/api/messages/${id}/discard`)
    expect([dropped.statusCode, dropped.json()]).toMatchObject([
      200,
      { id, state: 'ignored', error: { code: 'DISCARDED' } },
    ])
    expect((await call('POST', `/api/messages/${id}/retry`)).statusCode).toBe(409)

    await subject.run('delete from bridge.jobs; delete from bridge.lanes')
    const failed = await dead()
    const answer = await call('POST', `/api/messages/${failed}/discard`)
    expect([answer.statusCode, answer.json()]).toMatchObject([200, { id: failed, state: 'failed' }])
    expect((await subject.store.outbox.depth()).dead).toBe(0)
  })

  it('know what waits for a person and what for its delivery, oldest first, with the words', async () => {
    const first = await held()
    const second = await dead()
    await deliver('on its way')
    const names = async (query: string) => {
      const { messages, total } = (await call('GET', `/api/messages?${here()}&${query}`)).json<{
        messages: { id: string; preview: string | null }[]
        total: number | null
      }>()
      return { ids: messages.map(({ id }) => id), total, words: messages.map(({ preview }) => preview) }
    }
    expect(await names('waitsFor=person&order=oldest')).toMatchObject({ ids: [first, second], total: 2 })
    expect((await names('waitsFor=person&limit=1')).total).toBe(2)
    expect(await names('waitsFor=delivery')).toMatchObject({ total: 1, words: ['on its way'] })
    expect((await names('limit=1')).total).toBeNull()
    const oldest = await call('GET', `/api/messages?${here()}&waitsFor=person&order=oldest&limit=1`)
    const cursor = oldest.json<{ nextCursor: string }>().nextCursor
    expect((await names(`waitsFor=person&order=oldest&limit=1&cursor=${cursor}`)).ids).toEqual([second])

    for (const id of [first, second]) await call('POST', `/api/messages/${id}/discard`)
    expect(await names('waitsFor=person')).toEqual({ ids: [], total: 0, words: [] })
    // Second thoughts about the failed one: it waits for nobody's word, but can still be sent.
    await call('POST', `/api/messages/${second}/retry`)
    expect((await names('waitsFor=delivery')).total).toBe(2)
  })

  it('settle all that wait in one location, and nothing that came after they were counted', async () => {
    for (let n = 0; n < 103; n++)
      await subject.store.messages.acceptOutbound(agentMessage(place), partsOf(`late ${n}`), HELD)
    const asked = { state: 'held', locationId: place.locationId }
    const waiting = await call('GET', `/api/messages/waiting?state=held&${here()}`)
    const { upTo, ...counted } = waiting.json<{ upTo: string }>()
    expect(counted).toEqual({ messages: 103, held: 103, locations: 1 })
    const later = await held()
    const first = await call('POST', '/api/messages/retry', { ...asked, upTo })
    const { after, done } = first.json<{ after: string; done: number }>()
    expect(done).toBe(100)
    const second = await call('POST', '/api/messages/retry', { ...asked, upTo, after })
    expect(second.json()).toEqual({ done: 3, after: null })
    expect(nudges).toBe(2)
    expect((await list(`state=held&${here()}`)).messages.map(({ id }) => id)).toEqual([later])
    // The same again, as a caller does who did not hear the answer.
    expect((await call('POST', '/api/messages/retry', { ...asked, upTo })).json()).toEqual({
      done: 0,
      after: null,
    })
    expect((await call('POST', '/api/messages/discard', asked)).json()).toEqual({ done: 1, after: null })
    expect((await list(`state=held&${here()}`)).messages).toEqual([])
  })

  it('settle the failed and the held together when no state is named', async () => {
    const failed = await dead()
    await call('POST', `/api/messages/${await held()}/discard`)
    const dropped = await held()
    const waiting = await call('GET', `/api/messages/waiting?${here()}`)
    const { upTo, ...counted } = waiting.json<{ upTo: string }>()
    expect(counted).toEqual({ messages: 2, held: 1, locations: 1 })
    const asked = { locationId: place.locationId, upTo }
    expect((await call('POST', '/api/messages/discard', asked)).json()).toEqual({ done: 2, after: null })
    expect((await list(here())).messages).toMatchObject([
      { id: dropped, state: 'ignored', discardedAt: expect.any(String) as string },
      { state: 'ignored' },
      { id: failed, state: 'failed', discardedAt: expect.any(String) as string },
    ])
    expect((await call('GET', `/api/messages/waiting?${here()}`)).json()).toMatchObject({ messages: 0 })
  })

  it.each([undefined, { state: 'queued' }, { state: 'held', after: 'x' }, { state: 'held', all: true }])(
    'refuse to settle %j',
    async (body) => {
      for (const deed of ['retry', 'discard']) {
        const answer = await call('POST', `/api/messages/${deed}`, body)
        expect([answer.statusCode, answer.json()]).toMatchObject([
          400,
          { error: { code: 'REQUEST_INVALID' } },
        ])
      }
    },
  )

  it.each(['retry', 'discard'])('refuse to %s what is unknown, or waits for nobody', async (deed) => {
    const unknown = await call('POST', `/api/messages/no-such-message/${deed}`)
    expect([unknown.statusCode, unknown.json()]).toMatchObject([404, { error: { code: 'MESSAGE_UNKNOWN' } }])
    await deliver('still waiting')
    const [waiting] = (await list(here())).messages
    const answer = await call('POST', `/api/messages/${waiting?.id ?? ''}/${deed}`)
    expect([answer.statusCode, answer.json()]).toMatchObject([
      409,
      {
        error: { code: 'MESSAGE_NOT_WAITING', action: expect.stringContaining('failed and held') as string },
      },
    ])
    expect((await list(here())).messages).toMatchObject([{ state: 'queued' }])
    expect(nudges).toBe(0)
  })

  describe('asked by a page', () => {
    const page = (
      method: 'GET' | 'POST',
      url: string,
      role: 'admin' | 'user' = 'admin',
      at = place,
      body?: object,
    ) => {
      const { token } = pageTokens.issue({ locationId: at.locationId, role, userId: 'u1' })
      const headers = { authorization: `Bearer ${token}` }
      return app.inject({ method, url, headers, ...(body !== undefined && { payload: body }) })
    }
    const stateOf = async (id: string) => (await subject.store.messages.find(parseMessageId(id)))?.state

    it('let an admin of the message’s location send it again, and discard it', async () => {
      const first = await dead()
      const retried = await page('POST', `/api/messages/${first}/retry`)
      expect([retried.statusCode, retried.json()]).toMatchObject([200, { id: first, state: 'queued' }])
      expect(nudges).toBe(1)
      const second = await held()
      const dropped = await page('POST', `/api/messages/${second}/discard`)
      expect([dropped.statusCode, dropped.json()]).toMatchObject([200, { id: second, state: 'ignored' }])
    })

    it('give an admin the first words of a message, and a plain user none', async () => {
      await deliver(`See you at five, ${'and do bring the papers '.repeat(9)}`)
      const words = async (role: 'admin' | 'user') =>
        (await page('GET', `/api/messages?${here()}`, role)).json<{
          messages: { preview: string | null }[]
        }>().messages[0]?.preview
      expect(await words('admin')).toMatch(/^See you at five, and .{50,70}…$/)
      expect(await words('user')).toBeNull()
    })

    it('settle what waits in its own location only, and only for an admin', async () => {
      const id = await held()
      const elsewhere = await freshPlace(subject)
      const asked = { state: 'held' }
      for (const deed of ['retry', 'discard']) {
        const url = `/api/messages/${deed}`
        const other = await page('POST', url, 'admin', elsewhere, asked)
        expect([other.statusCode, other.json()]).toEqual([200, { done: 0, after: null }])
        const named = await page('POST', url, 'admin', elsewhere, {
          ...asked,
          locationId: place.locationId,
        })
        expect(named.statusCode).toBe(403)
        expect((await page('POST', url, 'user', place, asked)).statusCode).toBe(403)
      }
      expect([await stateOf(id), nudges]).toEqual(['held', 0])
      const counted = await page('GET', '/api/messages/waiting?state=held', 'user', elsewhere)
      expect(counted.json()).toEqual({ messages: 0, held: 0, locations: 0, upTo: null })
      expect((await page('POST', '/api/messages/discard', 'admin', place, asked)).json()).toMatchObject({
        done: 1,
      })
    })

    it.each(['retry', 'discard'])('do not let a plain user %s', async (deed) => {
      const id = await held()
      const answer = await page('POST', `/api/messages/${id}/${deed}`, 'user')
      expect([answer.statusCode, answer.json()]).toMatchObject([403, { error: { code: 'FORBIDDEN' } }])
      expect([await stateOf(id), nudges]).toEqual(['held', 0])
    })

    it.each(['retry', 'discard'])(
      'know no message of another location to %s, as they know none that is not',
      async (deed) => {
        const id = await held()
        const elsewhere = await freshPlace(subject)
        const theirs = await page('POST', `/api/messages/${id}/${deed}`, 'admin', elsewhere)
        const none = await page('POST', `/api/messages/no-such-message/${deed}`, 'admin', elsewhere)
        expect([theirs.statusCode, theirs.body]).toEqual([none.statusCode, none.body])
        expect([theirs.statusCode, theirs.json()]).toMatchObject([
          404,
          { error: { code: 'MESSAGE_UNKNOWN' } },
        ])
        expect([await stateOf(id), nudges]).toEqual(['held', 0])
      },
    )

    it('show his own location only, named or not', async () => {
      const mine = await held()
      const elsewhere = await freshPlace(subject)
      const seen = async (query = '', at = place) =>
        (await page('GET', `/api/messages${query}`, 'user', at)).json<Listed>()
      expect((await seen()).messages.map(({ id }) => id)).toEqual([mine])
      expect((await seen(`?${here()}`)).messages).toHaveLength(1)
      expect((await seen('', elsewhere)).messages).toEqual([])
      // A number of another location is as empty as one that is not.
      expect((await seen(`?sessionId=${place.sessionId}`, elsewhere)).messages).toEqual([])
      for (const url of [`/api/messages?${here()}`, `/api/ledger/${place.locationId}`]) {
        const answer = await page('GET', url, 'admin', elsewhere)
        expect([answer.statusCode, answer.json()]).toMatchObject([403, { error: { code: 'FORBIDDEN' } }])
      }
    })
  })

  it('certify a day of an installed location, today when none is named', async () => {
    await subject.store.installations.save({
      locationId: place.locationId,
      companyId: undefined,
      userType: 'Location',
      scopes: '',
      tokens: { accessToken: 'a', refreshToken: 'r', expiresAt: new Date() },
    })
    await subject.store.messages.acceptInbound(envelope(place, freshPerson().lid))
    await held()
    const today = new Date().toISOString().slice(0, 10)
    const answer = await call('GET', `/api/ledger/${place.locationId}`)
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      {
        day: today,
        timeZone: 'UTC',
        inbound: { received: 1, inGhl: 0, waiting: 1, failed: 0, discarded: 0 },
        outbound: {
          accepted: 1,
          sent: 0,
          delivered: 0,
          read: 0,
          failed: 0,
          discarded: 0,
          held: 1,
          waiting: 0,
        },
      },
    ])
    const before = await call('GET', `/api/ledger/${place.locationId}?day=2026-01-31`)
    expect(before.json()).toMatchObject({ day: '2026-01-31', inbound: { received: 0 } })
    await subject.store.installations.describe(place.locationId, { timeZone: 'Pacific/Kiritimati' })
    await subject.run(`update bridge.messages set created_at = '2026-03-01T10:30:00Z'
      where location_id = '${place.locationId}' and direction = 'inbound'`)
    const there = await call('GET', `/api/ledger/${place.locationId}?day=2026-03-02`)
    expect(there.json()).toMatchObject({
      timeZone: 'Pacific/Kiritimati',
      inbound: { received: 1 },
    })
    for (const day of ['2026-02-30', 'today', '']) {
      expect((await call('GET', `/api/ledger/${place.locationId}?day=${day}`)).statusCode).toBe(400)
    }
    const nowhere = await call('GET', '/api/ledger/elsewhere')
    expect([nowhere.statusCode, nowhere.json()]).toMatchObject([404, { error: { code: 'LOCATION_UNKNOWN' } }])
  })
})
