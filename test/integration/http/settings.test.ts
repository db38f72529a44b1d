import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { MessageDesk, SplitDesk } from '../../../src/bridge/ports.ts'
import { createSessionDesk } from '../../../src/bridge/session-desk.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { RequestError } from '../../../src/core/errors.ts'
import { parseSessionId } from '../../../src/core/ids.ts'
import { DEFAULT_SETTINGS } from '../../../src/core/settings.ts'
import { createServer } from '../../../src/http/server.ts'
import { openPostgres } from '../../../src/store/postgres.ts'
import { notReached, onlyOperator } from '../../support/callers.ts'
import { freshDatabase, type TestDatabase } from '../../support/postgres.ts'
import { silentLog } from '../../support/silent-log.ts'
import { freshPlace, type Place, type Subject, subjectOf } from '../store/subject.ts'

const API_KEY = 'operator-key-of-the-test'

describe('settings of a location, and of its numbers', () => {
  let target: TestDatabase
  let subject: Subject
  let app: Awaited<ReturnType<typeof createServer>>
  let place: Place

  beforeAll(async () => {
    target = await freshDatabase()
    subject = subjectOf('postgres', await openPostgres(target.url, silentLog))
    const { store } = subject
    app = await createServer({
      bodyLimitBytes: 4_096,
      history: store.history,
      publicUrl: 'https://bridge.example',
      callers: onlyOperator(API_KEY),
      accounts: notReached,
      desk: createSessionDesk({ sessions: store.sessions, newId: randomUUID, clock: systemClock }),
      messageDesk: {} as MessageDesk, // not reached by these routes
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
        parseDelivery: () => ({ ignored: 'nothing' }),
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
    place = await freshPlace(subject)
    await subject.store.installations.save({
      locationId: place.locationId,
      companyId: undefined,
      userType: 'Location',
      scopes: '',
      tokens: { accessToken: 'a', refreshToken: 'r', expiresAt: new Date(Date.now() + 60_000) },
    })
  })

  const call = async (method: 'GET' | 'PUT' | 'PATCH' | 'POST', url: string, payload?: object) => {
    const headers = { authorization: `Bearer ${API_KEY}` }
    const answer = await app.inject({ method, url, headers, ...(payload !== undefined && { payload }) })
    return { status: answer.statusCode, body: answer.json<Record<string, unknown>>() }
  }
  const settingsUrl = () => `/ghl/location/${place.locationId}/settings`
  const sessionUrl = (id: string = place.sessionId) => `/ghl/location/${place.locationId}/session/${id}`

  it('are read and changed in part; what holds then is answered', async () => {
    expect(await call('GET', settingsUrl())).toEqual({ status: 200, body: { ...DEFAULT_SETTINGS } })
    const wanted = { markRead: true, pinnedSessionId: place.sessionId }
    const changed = { status: 200, body: { ...DEFAULT_SETTINGS, ...wanted } }
    expect(await call('PUT', settingsUrl(), wanted)).toEqual(changed)
    expect(await call('GET', settingsUrl())).toEqual(changed)
    expect((await call('PUT', settingsUrl(), { pinnedSessionId: null })).body).toMatchObject({
      markRead: true,
      pinnedSessionId: null,
    })
  })

  it.each([
    { groups: 'yes' },
    { holdAfterMinutes: 0 },
    { holdAfterMinutes: 10_081 },
    { holdAfterMinutes: 1.5 },
    { historyDays: 91 },
    { historyDays: -1 },
    { label: null },
    { pinnedSessionId: 'no id!' },
    { markread: true },
    [],
  ])('refuse %j with 400 and change nothing', async (wrong) => {
    const answer = await call('PUT', settingsUrl(), wrong)
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'REQUEST_INVALID' } } })
    expect((await call('GET', settingsUrl())).body).toEqual(DEFAULT_SETTINGS)
  })

  it('refuse to pin a number that is not this location’s', async () => {
    const foreign = await freshPlace(subject)
    for (const pinnedSessionId of [foreign.sessionId, 'nobody']) {
      const answer = await call('PUT', settingsUrl(), { groups: true, pinnedSessionId })
      expect(answer).toMatchObject({ status: 404, body: { error: { code: 'SESSION_UNKNOWN' } } })
    }
    expect((await call('GET', settingsUrl())).body).toEqual(DEFAULT_SETTINGS)
  })

  it('are not there for a location without the app', async () => {
    const answer = await call('PUT', '/ghl/location/nowhere/settings', { groups: true })
    expect(answer).toMatchObject({ status: 404, body: { error: { code: 'LOCATION_UNKNOWN' } } })
  })

  it('rename a number and choose the default', async () => {
    const second = parseSessionId(randomUUID())
    await subject.store.sessions.create({ sessionId: second, locationId: place.locationId })
    const edited = await call('PATCH', sessionUrl(second), { name: '  Sales ', isDefault: true })
    expect(edited).toMatchObject({ status: 200, body: { id: second, name: 'Sales', isDefault: true } })
    const rows = await subject.store.sessions.list(place.locationId)
    expect(rows.map((row) => row.isDefault)).toEqual([false, true])
  })

  it('make no pairing code for another phone than the number’s, and change nothing', async () => {
    await subject.store.sessions.update(place.sessionId, { phoneNumber: '+15550003333' })
    const restart = (phoneNumber: string) => call('POST', `${sessionUrl()}/restart`, { phoneNumber })
    expect(await restart('+15550004444')).toMatchObject({
      status: 409,
      body: { error: { code: 'WRONG_NUMBER' } },
    })
    expect((await subject.store.sessions.find(place.sessionId))?.wish).toBeUndefined()
    expect(await restart('+1 555 000 3333')).toMatchObject({ status: 202 })
  })

  it.each([{ name: '' }, { name: 'x'.repeat(61) }, { isDefault: false }, { status: 'ready' }])(
    'refuse the change %j of a number with 400',
    async (wrong) => {
      expect(await call('PATCH', sessionUrl(), wrong)).toMatchObject({
        status: 400,
        body: { error: { code: 'REQUEST_INVALID' } },
      })
    },
  )

  it('refuse to change the number of another location', async () => {
    const foreign = await freshPlace(subject)
    expect(await call('PATCH', sessionUrl(foreign.sessionId), { name: 'mine' })).toMatchObject({
      status: 404,
      body: { error: { code: 'SESSION_UNKNOWN' } },
    })
    expect((await subject.store.sessions.find(foreign.sessionId))?.name).toBeUndefined()
  })
})
