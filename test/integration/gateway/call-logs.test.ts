import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { codeOf, type GatewayBench, startGatewayBench } from './bench.ts'

interface Synced {
  readonly success: boolean
  readonly records: number
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
  let locationId: string
  let key: string
  beforeAll(async () => {
    bench = await startGatewayBench()
  })
  afterAll(() => bench.stop())
  beforeEach(async () => {
    bench.sandbox.faults.clear()
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
    expect(await sync()).toMatchObject({ status: 502, body: { success: false } })
    const [status] = await bench.store.syncs.list({ kind: 'call-logs', scope: locationId })
    expect(status).toMatchObject({ state: 'failed', done: 100, cursor: '3' })
    bench.sandbox.forget()
    expect(await sync()).toMatchObject({ status: 200, body: { success: true, records: 120 } })
    expect(bench.sandbox.calls({ route: ROUTE }).length).toBe(1)
    expect(await stored()).toEqual(newestFirst)
  })

  it('copies only the span that was asked for', async () => {
    const span = { startDate: FROM + 10 * MINUTE_MS, endDate: FROM + 19 * MINUTE_MS }
    expect(await sync(span)).toMatchObject({ body: { records: 10 } })
    expect(await stored()).toEqual(newestFirst.slice(100, 110))
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

  it.each([
    ['a date that is none', { startDate: 'yesterday' }],
    ['an end before the start', { startDate: '2026-10-02', endDate: '2026-10-01' }],
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
    expect((await bench.call('GET', '/api/call-logs', wide)).status).toBe(400)
  })
})
