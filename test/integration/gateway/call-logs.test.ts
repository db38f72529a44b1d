import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { CALL_LOGS, type CallLogSource, CallLogSyncs } from '../../../src/bridge/call-logs.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { type LocationId, parseLocationId } from '../../../src/core/ids.ts'
import { silentLog } from '../../support/silent-log.ts'
import { waitFor } from '../../support/wait-for.ts'
import { CALL_LOG_PATIENCE_MS, codeOf, type GatewayBench, startGatewayBench } from './bench.ts'

interface Synced {
  readonly success: boolean
  readonly records: number
  readonly skipped: number
  readonly results: readonly { readonly locationId: string; readonly success: boolean }[]
}
interface Listed {
  readonly callLogs: readonly { readonly callId: string; readonly summary: string }[]
  readonly nextCursor: string | null
}

const FROM = Date.UTC(2026, 9, 1)
const MINUTE_MS = 60_000
const SPAN = { startDate: '2026-10-01', endDate: '2026-10-31' }
const ROUTE = 'GET /voice-ai/dashboard/call-logs'

describe('POST /api/sync/call-logs', () => {
  let bench: GatewayBench
  let locationId: LocationId
  let key: string
  beforeAll(async () => {
    bench = await startGatewayBench()
  })
  afterAll(() => bench.stop())
  beforeEach(async () => {
    bench.sandbox.faults.clear()
    // What a test leaves interrupted is gone on with by whoever looks.
    await bench.subject.run('delete from bridge.sync_status')
    locationId = await bench.install()
    key = (await bench.key(['sync'], locationId)).key
    for (let n = 0; n < 120; n++) {
      const createdAt = new Date(FROM + n * MINUTE_MS)
      bench.sandbox.addVoiceCall(locationId, { id: `call-${n}`, createdAt, summary: `summary ${n}` })
    }
    bench.sandbox.forget()
  })

  const sync = async (body: object = SPAN, bearer = key) => {
    const answer = await bench.call('POST', '/api/sync/call-logs', bearer, body)
    return { status: answer.status, body: (await answer.json()) as Synced }
  }
  const report = async () => (await bench.store.syncs.list({ kind: 'call-logs', scope: locationId }))[0]
  const stored = async (): Promise<string[]> => {
    const ids: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page = cursor === '' ? '' : `&cursor=${cursor}`
      const answer = await bench.call('GET', `/api/call-logs?limit=100${page}`, key)
      const listed = (await answer.json()) as Listed
      ids.push(...listed.callLogs.map(({ callId }) => callId))
      cursor = listed.nextCursor
    }
    return ids
  }
  const become = async (location: LocationId, state: 'uninstalled' | 'deactivated' | 'needs_reconnect') => {
    const { installations } = bench.store
    const row = await installations.findByLocation(location)
    if (row === undefined) throw new Error('not installed')
    const { installationId } = row
    if (state === 'uninstalled') await installations.uninstall({ locationId: location })
    if (state === 'deactivated') await installations.deactivate(installationId)
    if (state === 'needs_reconnect') {
      const held = await installations.beginRefresh(installationId, 1_000)
      await installations.abandonRefresh(installationId, held?.holder ?? '', true)
      await installations.endTokens(installationId, row.tokenExpiresAt)
    }
    expect((await installations.find(installationId))?.status).toBe(state)
  }
  const newestFirst = Array.from({ length: 120 }, (_, n) => `call-${119 - n}`)

  it('copies every page once, however often it is asked', async () => {
    expect(await sync()).toMatchObject({ status: 200, body: { success: true, records: 120 } })
    expect(bench.sandbox.calls({ route: ROUTE }).length).toBe(3)
    expect(await sync()).toMatchObject({ status: 200, body: { success: true, records: 120 } })
    expect(await stored()).toEqual(newestFirst)
    const [status] = await bench.store.syncs.list({ kind: 'call-logs', scope: locationId })
    expect(status).toMatchObject({ state: 'done', done: 120, total: 120 })
  })

  it('goes on where it was interrupted when the same is asked again', async () => {
    const effect = { kind: 'status', status: 500 } as const
    bench.sandbox.faults.add({ route: ROUTE, skip: 2, effect })
    expect(await sync()).toMatchObject({ status: 502, body: { success: false, records: 100 } })
    const status = await report()
    expect(status).toMatchObject({
      state: 'failed',
      done: 100,
      message: expect.stringMatching(/^100 calls from 2026-10-01T.* were stored, then: /) as string,
    })
    bench.sandbox.forget()
    expect(await sync()).toMatchObject({ status: 200, body: { success: true, records: 120 } })
    expect(bench.sandbox.calls({ route: ROUTE }).length).toBe(1)
    expect(await stored()).toEqual(newestFirst)
  })

  it('goes on in the span that it began with, when none was named', async () => {
    const now = Date.now()
    for (let n = 0; n < 60; n++)
      bench.sandbox.addVoiceCall(locationId, { createdAt: new Date(now - n * 1_000) })
    bench.sandbox.faults.add({ route: ROUTE, skip: 1, effect: { kind: 'status', status: 500 } })
    expect(await sync({})).toMatchObject({ status: 502, body: { records: 50 } })
    const began = /from (\S+) to (\S+)/.exec((await report())?.message ?? '')
    // Comes after the first run began: it belongs to no page of that run.
    bench.sandbox.addVoiceCall(locationId, { id: 'later', createdAt: new Date(Date.now() + 5) })
    await new Promise((resolve) => setTimeout(resolve, 20))
    bench.sandbox.forget()
    expect(await sync({})).toMatchObject({ status: 200, body: { success: true } })
    expect((await report())?.message).toContain(`from ${began?.[1] ?? '?'} to ${began?.[2] ?? '?'}`)
    expect(await stored()).not.toContain('later')
    expect(await sync({})).toMatchObject({ status: 200, body: { success: true } })
    expect(await stored()).toContain('later')
  })

  it('answers 202 when it takes long, and goes on: sync_status shows it', async () => {
    const effect = { kind: 'delay', ms: CALL_LOG_PATIENCE_MS + 1_500 } as const
    bench.sandbox.faults.add({ route: ROUTE, skip: 1, effect })
    expect(await sync()).toMatchObject({
      status: 202,
      body: { success: true, running: true, results: [{ locationId, state: 'running' }] },
    })
    expect(await report()).toMatchObject({ state: 'running', done: 50, total: 120 })
    // Whoever asks meanwhile starts no second one.
    expect(await sync()).toMatchObject({ status: 202, body: { running: true } })
    await waitFor('the end', async () => (await report())?.state === 'done')
    expect(bench.sandbox.calls({ route: ROUTE }).length).toBe(3)
    expect(await stored()).toEqual(newestFirst)
  })

  it.each([
    ['in milliseconds', (ms: number) => ms],
    ['as instants', (ms: number) => new Date(ms).toISOString()],
    [
      'as instants of another clock',
      (ms: number) => new Date(ms + 150 * MINUTE_MS).toISOString().replace('Z', '+02:30'),
    ],
  ])('copies only the span that was asked for %s', async (_, said) => {
    const span = { startDate: said(FROM + 10 * MINUTE_MS), endDate: said(FROM + 19 * MINUTE_MS) }
    expect(await sync(span)).toMatchObject({ body: { records: 10 } })
    expect(await stored()).toEqual(newestFirst.slice(100, 110))
  })

  it.each([
    ['UTC, where GHL has not said the zone', undefined, '2026-10-10', '2026-10-10T00:00:00Z', 24],
    ['São Paulo', 'America/Sao_Paulo', '2026-10-10', '2026-10-10T03:00:00Z', 24],
    ['New York, whose clocks go forward', 'America/New_York', '2026-03-08', '2026-03-08T05:00:00Z', 23],
    ['Berlin, whose clocks go back', 'Europe/Berlin', '2026-10-25', '2026-10-24T22:00:00Z', 25],
  ])('takes a day as it is in %s: for the copy and for the list', async (_, timeZone, day, begins, hours) => {
    if (timeZone !== undefined) await bench.store.installations.describe(locationId, { timeZone })
    const begin = Date.parse(begins)
    const next = begin + hours * 60 * MINUTE_MS
    for (const [id, at] of Object.entries({ before: begin - 1, first: begin, last: next - 1, after: next }))
      bench.sandbox.addVoiceCall(locationId, { id: `${locationId}-${id}`, createdAt: new Date(at) })
    const span = { startDate: day, endDate: day }
    const all = { startDate: '2026-01-01', endDate: '2026-12-31' }
    const listed = async (query: Record<string, string>) => {
      const params = new URLSearchParams({ ...query, limit: '200' }).toString()
      const answer = await bench.call('GET', `/api/call-logs?${params}`, key)
      const { callLogs } = (await answer.json()) as Listed
      return callLogs.map(({ callId }) => callId).filter((id) => id.startsWith(locationId))
    }
    const ids = [`${locationId}-last`, `${locationId}-first`]
    expect(await sync(span)).toMatchObject({ status: 200, body: { records: 2 } })
    expect(await listed(all)).toEqual(ids)
    await sync(all)
    expect(await listed(span)).toEqual(ids)
  })

  it('of two locations takes each one’s own day', async () => {
    const east = await bench.install('East')
    await bench.store.installations.describe(east, { timeZone: 'Pacific/Kiritimati' })
    await bench.store.installations.describe(locationId, { timeZone: 'Pacific/Pago_Pago' })
    const day = { startDate: '2026-11-10', endDate: '2026-11-10' }
    // Half past ten UTC on the 9th: the 10th in the east, the 8th in the west.
    for (const each of [locationId, east])
      bench.sandbox.addVoiceCall(each, { createdAt: new Date('2026-11-09T10:30:00Z') })
    const { body } = await sync(day, (await bench.key(['sync'])).key)
    const records = (of: string) => body.results.find((result) => result.locationId === of)
    expect([records(east), records(locationId)]).toMatchObject([{ records: 1 }, { records: 0 }])
  })

  it('counts what GHL gives without an id or a time by itself, through an interruption too', async () => {
    const good = { id: 'good', createdAt: new Date(FROM).toISOString() }
    const page = (calls: readonly object[]) => ({
      kind: 'status' as const,
      status: 200,
      body: { total: 120, page: 1, pageSize: 50, callLogs: calls },
    })
    const odd = [{ createdAt: good.createdAt }, { id: 'timeless' }, { id: 'odd', createdAt: 'soon' }]
    const full = Array.from({ length: 47 }, (_, n) => ({ ...good, id: `good-${n}` }))
    bench.sandbox.faults.add({ route: ROUTE, effect: page([...full, ...odd]) })
    bench.sandbox.faults.add({ route: ROUTE, skip: 1, effect: { kind: 'status', status: 500 } })
    expect(await sync()).toMatchObject({ status: 502, body: { records: 47, skipped: 3 } })
    expect(await report()).toMatchObject({ state: 'failed', done: 47, failed: 0, skipped: 3 })
    bench.sandbox.faults.clear()
    bench.sandbox.faults.add({ route: ROUTE, effect: page([good, { id: 'timeless too' }]) })
    expect(await sync()).toMatchObject({ status: 200, body: { success: true, records: 48, skipped: 4 } })
    expect(await report()).toMatchObject({
      state: 'done',
      done: 48,
      failed: 0,
      skipped: 4,
      message: expect.stringContaining('4 left out') as string,
    })
  })

  it('says which scope is missing', async () => {
    bench.sandbox.faults.add({
      route: ROUTE,
      effect: {
        kind: 'status',
        status: 401,
        body: { statusCode: 401, message: 'The token is not authorized for this scope.' },
      },
    })
    const answer = await bench.call('POST', '/api/sync/call-logs', key, SPAN)
    expect(answer.status).toBe(403)
    expect(await answer.json()).toMatchObject({
      success: false,
      error: {
        code: 'GHL_FORBIDDEN',
        action: expect.stringContaining('voice-ai-dashboard.readonly') as string,
      },
    })
    const [status] = await bench.store.syncs.list({ kind: 'call-logs', scope: locationId })
    expect(status).toMatchObject({ state: 'failed', message: expect.stringContaining('voice-ai') as string })
  })

  it.each([
    ['GHL_RATE_LIMITED', 429, { status: 429, headers: { 'retry-after': '90' } }],
    ['GHL_UNAVAILABLE', 502, { status: 500 }],
    ['GHL_REJECTED', 502, { status: 422 }],
  ] as const)('answers %s with the status of every other route', async (code, status, effect) => {
    bench.sandbox.faults.add({ route: ROUTE, effect: { kind: 'status', ...effect } })
    const answer = await bench.call('POST', '/api/sync/call-logs', key, SPAN)
    expect([answer.status, await codeOf(answer)]).toEqual([status, code])
    const wait = answer.headers.get('retry-after')
    if (status === 429) expect(Number(wait)).toBeGreaterThan(60)
    else expect(wait).toBeNull()
  })

  it.each([
    ['uninstalled', 404, 'GHL_NOT_INSTALLED'],
    ['deactivated', 409, 'GHL_DEACTIVATED'],
    ['needs_reconnect', 409, 'GHL_NEEDS_RECONNECT'],
  ] as const)('of one location that is %s answers %i %s', async (state, status, code) => {
    await become(locationId, state)
    const answer = await bench.call('POST', '/api/sync/call-logs', key, SPAN)
    expect(answer.status).toBe(status)
    expect(await answer.json()).toMatchObject({
      success: false,
      error: { code, action: expect.any(String) as string },
    })
  })

  it('of all locations is hidden by none that fails', async () => {
    bench.sandbox.faults.add({
      route: ROUTE,
      locationId,
      times: null,
      effect: { kind: 'status', status: 500 },
    })
    const well = await bench.install('Well')
    bench.sandbox.addVoiceCall(well, { id: 'well', createdAt: new Date(FROM) })
    const { key: wide } = await bench.key(['sync'])
    const { status, body } = await sync(SPAN, wide)
    expect([status, body.success]).toEqual([200, false])
    const outcome = Object.fromEntries(body.results.map((result) => [result.locationId, result.success]))
    expect(outcome).toMatchObject({ [locationId]: false, [well]: true })
  })

  it('of all locations names those that must be connected, and leaves out what is off', async () => {
    const pending = parseLocationId(`pending-${locationId}`)
    const [off, gone] = [await bench.install(), await bench.install()]
    await bench.store.installations.noteInstall({ locationId: pending })
    await become(locationId, 'needs_reconnect')
    await become(off, 'deactivated')
    await become(gone, 'uninstalled')
    const { status, body } = await sync(SPAN, (await bench.key(['sync'])).key)
    expect([status, body.success]).toEqual([200, false])
    const of = (location: LocationId) => body.results.find((result) => result.locationId === location)
    for (const location of [locationId, pending])
      expect(of(location)).toMatchObject({
        success: false,
        error: { code: 'GHL_NEEDS_RECONNECT', action: expect.any(String) as string },
      })
    expect([of(off), of(gone)]).toEqual([undefined, undefined])
  })

  it('of all locations, where none is connected, says so and what to do', async () => {
    for (const { locationId: each, status } of await bench.store.installations.list())
      if (each !== undefined && status !== 'deactivated') await become(each, 'uninstalled')
    const answer = await bench.call('POST', '/api/sync/call-logs', (await bench.key(['sync'])).key, SPAN)
    expect(answer.status).toBe(404)
    expect(await answer.json()).toEqual({
      success: false,
      error: {
        code: 'GHL_NOT_INSTALLED',
        message: 'No location is connected: the app is installed in none, or those are deactivated',
        action: 'Install it with /oauth/install, or activate a location in the console.',
      },
    })
  })

  it.each([
    ['a date that is none', { startDate: 'yesterday' }],
    ['a moment beyond all calendars', { startDate: 8.64e15 + 1 }],
    ['an end before the start', { startDate: '2026-10-02', endDate: '2026-10-01' }],
    ['a start alone that is yet to come', { startDate: '2099-01-01' }],
    ['an end before all calls, without a start', { endDate: 1 }],
    ['an unknown property', { since: '2026-10-02' }],
    ['a location that is no id', { locationId: '../x' }],
  ])('refuses %s and asks GHL for nothing', async (_, body) => {
    const answer = await bench.call('POST', '/api/sync/call-logs', key, body)
    // A key of one location is refused for any other name, before its form is looked at.
    expect([answer.status, await codeOf(answer)]).toEqual([400, 'REQUEST_INVALID'])
    expect(bench.sandbox.calls()).toEqual([])
    expect(await bench.store.syncs.list({ kind: 'call-logs', scope: locationId })).toEqual([])
  })

  it('refuses a location without the app, and a key of another location', async () => {
    const { key: wide } = await bench.key(['sync'])
    expect((await sync({ locationId: 'nowhere' }, wide)).status).toBe(404)
    const other = await bench.install('Other')
    expect((await sync({ locationId: other })).status).toBe(403)
    expect((await bench.call('GET', `/api/call-logs?locationId=${other}`, key)).status).toBe(403)
    expect((await bench.call('GET', '/api/call-logs?cursor=x', key)).status).toBe(400)
    for (const name of ['scope', 'locationId'])
      expect((await bench.call('GET', `/api/sync/status?${name}=${other}`, key)).status).toBe(403)
    expect((await bench.call('GET', '/api/call-logs', wide)).status).toBe(400)
  })

  it('tells a plain user of a page that there were calls, and nothing of what was said in them', async () => {
    const at = new Date(FROM - MINUTE_MS)
    const words = { summary: 'wants an implant', transcript: 'bot: Hello', fromNumber: '+15551230001' }
    bench.sandbox.addVoiceCall(locationId, { id: 'private', createdAt: at, ...words })
    await sync({ startDate: '2026-09-30', endDate: '2026-09-30' })
    const seenBy = async (bearer: string) => {
      const answer = await bench.call('GET', '/api/call-logs', bearer)
      return ((await answer.json()) as { callLogs: readonly object[] }).callLogs
    }
    const facts = { callId: 'private', calledAt: at.toISOString(), isTrial: false }
    const [asUser] = await seenBy(bench.page(locationId, 'user'))
    expect(asUser).toMatchObject(facts)
    const known = ['agentId', 'calledAt', 'callId', 'durationSec', 'ghlContactId', 'isTrial']
    for (const name of Object.keys(asUser ?? {})) expect(known).toContain(name)
    for (const bearer of [bench.page(locationId, 'admin'), key])
      expect(await seenBy(bearer)).toMatchObject([{ ...facts, ...words }])
  })

  it('stops between two pages when the server ends, free for the next to go on', async () => {
    bench.sandbox.faults.add({ route: ROUTE, effect: { kind: 'delay', ms: 500 } })
    const asked = sync()
    await waitFor('the first page', () => bench.sandbox.calls({ route: ROUTE }).length > 0)
    await bench.stopCallLogSyncs()
    expect(await asked).toMatchObject({ status: 202, body: { running: true, records: 50 } })
    expect(await report()).toMatchObject({ state: 'interrupted', done: 50 })
  })

  describe('with several nodes', () => {
    const nodes: CallLogSyncs[] = []
    afterEach(async () => {
      vi.useRealTimers()
      await Promise.all(nodes.splice(0).map((each) => each.stop()))
    })
    /** A node; `before` is awaited before each page. */
    const node = (before: () => Promise<void> = () => Promise.resolve()) => {
      const asked: number[] = []
      const source: CallLogSource = {
        page: async (location, span, page) => {
          asked.push(page)
          await before()
          return await bench.ghl.callLogs.page(location, span, page)
        },
      }
      const { callLogs, syncs } = bench.store
      const made = new CallLogSyncs({ source, callLogs, syncs, clock: systemClock, log: silentLog })
      nodes.push(made)
      return { asked, syncs: made }
    }
    const span = { from: new Date(FROM), to: new Date(FROM + 120 * MINUTE_MS) }
    const backdate = (seconds: number) =>
      bench.subject.run(
        `update bridge.sync_status set until = until - interval '${seconds} s' where scope = '${locationId}'`,
      )

    it('a run whose page takes longer than the hold stays with its node', async () => {
      const { promise: answer, resolve: letAnswer } = Promise.withResolvers<void>()
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
      const [slow, other] = [node(() => answer), node()]
      const running = slow.syncs.sync([{ locationId, ...span }], 'days')
      await vi.waitFor(() => expect(slow.asked).toEqual([1]))
      await backdate(21)
      expect((await report())?.state).toBe('interrupted')
      vi.advanceTimersByTime(6_000)
      vi.useRealTimers()
      await vi.waitFor(async () => expect((await report())?.state).toBe('running'))
      await other.syncs.resume()
      expect(await other.syncs.sync([{ locationId, ...span }], 'days')).toMatchObject([{ state: 'running' }])
      expect(other.asked).toEqual([])
      letAnswer()
      expect(await running).toMatchObject([{ state: 'done', records: 120 }])
    })

    it('a dead node’s run is gone on with by another inside half a minute, and nobody asks for it', async () => {
      vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
      const heir = node()
      heir.syncs.start()
      const run = await bench.store.syncs.begin({ kind: CALL_LOGS, scope: locationId }, 20_000, 'days')
      if (run === undefined) throw new Error('begun')
      const cursor = `2/${span.from.getTime()}/${span.to.getTime()}`
      await bench.store.syncs.advance(run, { cursor, total: 120, done: 50, skipped: 2 }, 20_000)
      await heir.syncs.resume()
      expect(heir.asked).toEqual([])
      await backdate(20)
      vi.advanceTimersByTime(10_000)
      vi.useRealTimers()
      await vi.waitFor(async () =>
        expect(await report()).toMatchObject({ state: 'done', done: 120, failed: 0, skipped: 2 }),
      )
      expect(heir.asked).toEqual([2, 3])
    })

    it('a run that another has taken over is neither failed nor finished by the one who lost it', async () => {
      const { promise: answer, resolve: letAnswer } = Promise.withResolvers<void>()
      const slow = node(() => answer)
      const running = slow.syncs.sync([{ locationId, ...span }], 'days')
      await vi.waitFor(() => expect(slow.asked).toEqual([1]))
      await backdate(21)
      const taken = await bench.store.syncs.begin({ kind: CALL_LOGS, scope: locationId }, 60_000, 'days')
      expect(taken).toBeDefined()
      letAnswer()
      expect(await running).toMatchObject([{ state: 'running' }])
      expect((await report())?.state).toBe('running')
    })
  })
})
