import { afterEach, describe, expect, it } from 'vitest'
import { type LocationId, parseLocationId } from '../../../src/core/ids.ts'
import type { Ghl } from '../../../src/ghl/ghl.ts'
import { waitFor } from '../../support/wait-for.ts'
import { approve, type Bench, startBench } from './bench.ts'

let bench: Bench
afterEach(async () => {
  expect(bench.sandbox.stats().oddities).toEqual([])
  await bench.stop()
})

const TOKEN = 'POST /oauth/token'
const refreshes = () => bench.sandbox.calls({ route: TOKEN }).length
const ask = (ghl: Ghl, locationId: LocationId) =>
  ghl.contacts.findOrCreate(locationId, '+15551230001', undefined)

const row = async (locationId: LocationId) => {
  const found = await bench.installations.findByLocation(locationId)
  if (found === undefined) throw new Error('not installed')
  return found
}
const endsIn = async (locationId: LocationId, ms: number) =>
  bench.installations.edit((await row(locationId)).installationId, {
    tokens: { expiresAt: new Date(Date.now() + ms) },
  })

async function installed(options?: Parameters<typeof startBench>[0]): Promise<LocationId> {
  bench = await startBench(options)
  const locationId = await bench.install()
  bench.sandbox.forget()
  return locationId
}

describe('an access token', () => {
  it('that GHL says has expired is renewed once for 50 calls at the same time', async () => {
    const locationId = await installed()
    await ask(bench.ghl, locationId)
    bench.sandbox.tokens.expireAccess()
    const calls = Array.from({ length: 50 }, () => ask(bench.ghl, locationId))
    expect(new Set(await Promise.all(calls)).size).toBe(1)
    expect(refreshes()).toBe(1)
  })

  it('is renewed once by 30 calls on three nodes', async () => {
    const locationId = await installed()
    const nodes = [bench.ghl, bench.anotherNode(), bench.anotherNode()]
    await Promise.all(nodes.map((node) => ask(node, locationId)))
    bench.sandbox.tokens.expireAccess()
    await Promise.all(nodes.flatMap((node) => Array.from({ length: 10 }, () => ask(node, locationId))))
    expect(refreshes()).toBe(1)
  })

  it('is renewed before it ends, behind the calls that it still serves, and without a refused one', async () => {
    const locationId = await installed()
    await endsIn(locationId, 4 * 60_000)
    bench.sandbox.faults.add({ route: TOKEN, when: 'after', effect: { kind: 'delay', ms: 500 } })
    const askedAtMs = performance.now()
    await ask(bench.ghl, locationId)
    await ask(bench.ghl, locationId)
    expect(performance.now() - askedAtMs).toBeLessThan(400)
    await bench.ghl.tokens.drain()
    await ask(bench.ghl, locationId)
    expect(refreshes()).toBe(1)
    expect(bench.sandbox.calls({ status: 401 })).toEqual([])
    expect((await row(locationId)).tokenExpiresAt.getTime()).toBeGreaterThan(Date.now() + 23 * 3_600_000)
  })

  it.each([
    ['refused in words about nothing', { kind: 'status', status: 400, body: { error: 'temporary' } }],
    ['answered by an error', { kind: 'status', status: 500 }],
    ['not answered', { kind: 'delay', ms: 60_000 }],
  ] as const)('that is still valid stays in use, at once, while its renewal is %s', async (_, effect) => {
    const locationId = await installed()
    await endsIn(locationId, 60_000)
    bench.sandbox.faults.add({ route: TOKEN, times: null, effect })
    const askedAtMs = performance.now()
    for (let n = 0; n < 3; n++) await ask(bench.ghl, locationId)
    expect(performance.now() - askedAtMs).toBeLessThan(2_000)
    expect((await row(locationId)).status).toBe('active')
    bench.sandbox.faults.clear()
  })

  it('is not renewed for a refusal that no token can cure', async () => {
    const locationId = await installed()
    bench.sandbox.faults.add({
      route: 'POST /contacts/upsert',
      effect: {
        kind: 'status',
        status: 401,
        body: { message: 'The token is not authorized for this scope.' },
      },
    })
    await expect(ask(bench.ghl, locationId)).rejects.toMatchObject({ code: 'GHL_FORBIDDEN' })
    expect(refreshes()).toBe(0)
  })

  it('just renewed is not renewed again for a refusal in unknown words', async () => {
    const locationId = await installed()
    bench.sandbox.faults.add({
      route: 'POST /contacts/upsert',
      times: null,
      effect: { kind: 'status', status: 401, body: { message: 'no' } },
    })
    for (let n = 0; n < 3; n++)
      await expect(ask(bench.ghl, locationId)).rejects.toMatchObject({ code: 'GHL_UNAVAILABLE' })
    expect(refreshes()).toBe(1)
  })

  it('that GHL refuses while there is no way to another is over, for everybody', async () => {
    const locationId = await installed()
    const { installationId } = await row(locationId)
    bench.sandbox.tokens.expireAccess()
    bench.sandbox.tokens.revokeRefresh()
    const failure = { code: 'GHL_NEEDS_RECONNECT' }
    await expect(ask(bench.ghl, locationId)).rejects.toMatchObject(failure)
    bench.sandbox.forget()
    for (const node of [bench.ghl, bench.anotherNode()]) {
      await expect(node.lend(installationId)).rejects.toMatchObject(failure)
      await expect(ask(node, locationId)).rejects.toMatchObject(failure)
    }
    expect(bench.sandbox.calls()).toEqual([])
  })

  it('of an agency that needs a reconnect is not lent, and it is said why', async () => {
    bench = await startBench()
    const { ghl, sandbox } = bench
    const agency = await ghl.oauth.complete(await approve(ghl.oauth.installUrl('s'), { company: '1' }))
    sandbox.tokens.revokeRefresh()
    await expect(ghl.tokens.refresh(agency)).rejects.toMatchObject({ code: 'GHL_NEEDS_RECONNECT' })
    bench.installations.edit(agency.installationId, { tokens: { expiresAt: new Date(Date.now() - 1) } })
    await expect(ghl.lend(agency.installationId)).rejects.toMatchObject({ code: 'GHL_NEEDS_RECONNECT' })
  })
})

describe('trouble at the door where tokens come from', () => {
  const odd = [
    [400, { error: 'temporary' }],
    [400, { message: 'Bad Request' }],
    [400, { error: 'invalid_request', error_description: 'Invalid grant type' }],
    [401, { statusCode: 401, message: 'Unauthorized' }],
    [403, { message: 'Forbidden' }],
    [404, { message: 'Cannot POST /oauth/token' }],
    [405, {}],
    [422, { statusCode: 422, message: ['x must be a string'], error: 'Unprocessable Entity' }],
  ] as const

  it.each(odd)('%i %o is tried again later, with the same refresh token', async (status, body) => {
    const locationId = await installed()
    bench.sandbox.tokens.expireAccess()
    bench.sandbox.faults.add({ route: TOKEN, times: null, effect: { kind: 'status', status, body } })
    await expect(ask(bench.ghl, locationId)).rejects.toMatchObject({
      code: 'GHL_UNAVAILABLE',
      disposition: 'retry',
      certainty: 'not_sent',
    })
    expect((await row(locationId)).status).toBe('active')
    bench.sandbox.faults.clear()
    await ask(bench.ghl, locationId)
    expect((await row(locationId)).problem).toBeUndefined()
  })

  it('a limit makes it wait', async () => {
    const locationId = await installed()
    bench.sandbox.tokens.expireAccess()
    bench.sandbox.faults.add({ route: TOKEN, effect: { kind: 'status', status: 429, body: {} } })
    await expect(ask(bench.ghl, locationId)).rejects.toMatchObject({ code: 'GHL_RATE_LIMITED' })
  })

  it.each([
    [401, { message: 'Unauthorized' }, 'GHL_UNAVAILABLE', 'retry', 'active'],
    [404, { message: 'Cannot POST /oauth/locationToken' }, 'GHL_UNAVAILABLE', 'retry', 'active'],
    [422, { message: ['x should not exist'] }, 'GHL_UNAVAILABLE', 'retry', 'active'],
    [
      401,
      { message: 'The token is not authorized for this scope.' },
      'GHL_NEEDS_RECONNECT',
      'park',
      'needs_reconnect',
    ],
    [
      403,
      { message: 'The location runs another version of the app' },
      'GHL_NEEDS_RECONNECT',
      'park',
      'needs_reconnect',
    ],
  ] as const)(
    'a mint refused with %i %o becomes %s: it kills nothing',
    async (status, body, code, disposition, then) => {
      bench = await startBench()
      const { ghl, sandbox } = bench
      const locationId = parseLocationId(sandbox.addLocation().id)
      sandbox.installIn(locationId)
      await ghl.oauth.complete(await approve(ghl.oauth.installUrl('s'), { company: '1' }))
      await ghl.oauth.connect(locationId, sandbox.companyId)
      sandbox.tokens.expireAccess(locationId)
      sandbox.faults.add({
        route: 'POST /oauth/locationToken',
        times: null,
        effect: { kind: 'status', status, body },
      })
      await expect(ask(ghl, locationId)).rejects.toMatchObject({ code, disposition })
      expect((await row(locationId)).status).toBe(then)
    },
  )
})

it('every refusal of the doors where tokens come from carries GHL’s trace for the log', async () => {
  bench = await startBench()
  const { ghl, sandbox } = bench
  const traced = { details: expect.objectContaining({ traceId: 'T' }) as object }
  const refuse = (route: string, status: number, body: object) =>
    sandbox.faults.add({ route, effect: { kind: 'status', status, body: { ...body, traceId: 'T' } } })
  refuse(TOKEN, 401, { error: 'UnAuthorized!', error_description: 'Authorization code not found' })
  await expect(ghl.oauth.complete('c')).rejects.toMatchObject({ code: 'REQUEST_INVALID', ...traced })

  const own = await bench.install()
  sandbox.tokens.expireAccess(own)
  refuse(TOKEN, 503, { message: 'Down' })
  sandbox.tokens.revokeRefresh(own)
  refuse(TOKEN, 400, { error: 'invalid_client', error_description: 'Invalid client credentials!' })
  await expect(ask(ghl, own)).rejects.toMatchObject({ code: 'GHL_UNAVAILABLE', ...traced })
  refuse(TOKEN, 400, { error: 'invalid_grant', error_description: 'Invalid refresh token' })
  await expect(ask(ghl, own)).rejects.toMatchObject({ code: 'GHL_NEEDS_RECONNECT', ...traced })

  const minted = parseLocationId(sandbox.addLocation().id)
  sandbox.installIn(minted)
  await ghl.oauth.complete(await approve(ghl.oauth.installUrl('s'), { company: '1' }))
  refuse('POST /oauth/locationToken', 403, { message: 'another version' })
  const connecting = ghl.oauth.connect(minted, sandbox.companyId)
  await expect(connecting).rejects.toMatchObject({ code: 'GHL_NEEDS_RECONNECT', ...traced })
})

describe('a refresh', () => {
  it.each([
    ['whose answer is lost', { kind: 'drop' }, 'after'],
    ['that never arrives', { kind: 'drop' }, 'before'],
    ['that meets an error of GHL’s', { kind: 'status', status: 503 }, 'before'],
  ] as const)('%s is repeated with the same token and loses nothing', async (_, effect, when) => {
    const locationId = await installed()
    bench.sandbox.tokens.expireAccess()
    bench.sandbox.faults.add({ route: TOKEN, when, effect })
    await ask(bench.ghl, locationId)
    expect(refreshes()).toBe(2)
    expect((await row(locationId)).status).toBe('active')
    bench.sandbox.tokens.expireAccess()
    await ask(bench.ghl, locationId)
  })

  it('is stored before the new token is used, however often the database fails', async () => {
    const locationId = await installed()
    bench.sandbox.tokens.expireAccess()
    bench.installations.failFinish(3)
    await ask(bench.ghl, locationId)
    const { accessToken } =
      (await bench.installations.readTokens((await row(locationId)).installationId)) ?? {}
    expect((await bench.ghl.tokens.access(locationId)).tokens.accessToken).toBe(accessToken)
    expect(refreshes()).toBe(1)
  })

  it('that could not be stored is kept and stored by the next one', async () => {
    const locationId = await installed({ settings: { refreshGraceMs: 0 } })
    bench.sandbox.tokens.expireAccess()
    bench.installations.failFinish(5)
    await expect(ask(bench.ghl, locationId)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    // The right to refresh ends by itself after its hold; a test need not wait for that.
    bench.installations.release((await row(locationId)).installationId)
    await ask(bench.ghl, locationId)
    expect(refreshes()).toBe(1)
  })

  it.each([
    ['inside GHL’s 30 seconds another node gets the same pair', 30_000, 'active'],
    ['later it needs a reconnect, and nobody tries for ever', 0, 'needs_reconnect'],
  ] as const)('whose node dies before it is stored: %s', async (_, refreshGraceMs, status) => {
    const locationId = await installed({ settings: { refreshGraceMs } })
    bench.sandbox.tokens.expireAccess()
    // The database takes nothing more from the first node, which then is gone with what it knew.
    bench.installations.failFinish(5)
    await expect(ask(bench.ghl, locationId)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    bench.installations.release((await row(locationId)).installationId)
    const heir = bench.anotherNode()
    const asked = await Promise.allSettled(Array.from({ length: 5 }, () => ask(heir, locationId)))
    expect(asked.every((each) => (each.status === 'fulfilled') === (status === 'active'))).toBe(true)
    expect((await row(locationId)).status).toBe(status)
    const spent = refreshes()
    await ask(heir, locationId).catch(() => undefined)
    expect(refreshes()).toBe(spent)
    expect(spent).toBeLessThanOrEqual(2)
  })

  it.each(['invalid_grant', 'unauthorized'] as const)(
    'refused for good (%s) marks the installation and says what to do',
    async (refreshRefusal) => {
      const locationId = await installed({ settings: { refreshRefusal } })
      bench.sandbox.tokens.expireAccess()
      bench.sandbox.tokens.revokeRefresh()
      const failure = { code: 'GHL_NEEDS_RECONNECT', disposition: 'park' }
      const asked = ask(bench.ghl, locationId)
      await expect(asked).rejects.toMatchObject(failure)
      await expect(asked).rejects.toHaveProperty('action', expect.stringContaining('Connect'))
      expect((await row(locationId)).status).toBe('needs_reconnect')
      await endsIn(locationId, -1)
      await expect(ask(bench.ghl, locationId)).rejects.toMatchObject(failure)
      expect(refreshes()).toBe(1)
    },
  )

  it('that an operator asks for tries the stored refresh token again where GHL refused it once', async () => {
    const locationId = await installed()
    const spoiled = { status: 'needs_reconnect' } as const
    bench.installations.edit((await row(locationId)).installationId, { row: spoiled })
    await bench.ghl.tokens.refresh(await row(locationId))
    expect((await row(locationId)).status).toBe('active')
    await ask(bench.ghl, locationId)
  })

  it('under way is finished and stored before the connections end', async () => {
    const locationId = await installed({ settings: { refreshGraceMs: 0 } })
    bench.sandbox.tokens.expireAccess()
    bench.sandbox.faults.add({ route: TOKEN, when: 'after', effect: { kind: 'delay', ms: 500 } })
    const leaving = bench.anotherNode()
    const asked = ask(leaving, locationId).catch(() => 'closed')
    await waitFor('the refresh', () => refreshes() > 0)
    await leaving.close()
    await asked
    await ask(bench.ghl, locationId)
    expect(refreshes()).toBe(1)
    expect((await row(locationId)).status).toBe('active')
  })

  it('with the wrong app secret does not spoil the installation', async () => {
    const locationId = await installed()
    bench.sandbox.faults.add({
      route: TOKEN,
      times: null,
      effect: {
        kind: 'status',
        status: 401,
        body: { error: 'UnAuthorized!', error_description: 'Invalid client credentials!' },
      },
    })
    bench.sandbox.tokens.expireAccess()
    await expect(ask(bench.ghl, locationId)).rejects.toMatchObject({ code: 'GHL_UNAVAILABLE' })
    expect((await row(locationId)).status).toBe('active')
  })

  it('of a location of an agency mints a new token', async () => {
    bench = await startBench()
    const { ghl, sandbox } = bench
    const location = sandbox.addLocation()
    await ghl.oauth.complete(await approve(ghl.oauth.installUrl('s'), { company: '1' }))
    const locationId = parseLocationId(location.id)
    sandbox.installIn(location.id)
    await ghl.oauth.connect(locationId, sandbox.companyId)
    sandbox.tokens.expireAccess(location.id)
    sandbox.forget()
    await ask(ghl, locationId)
    expect(sandbox.calls({ route: 'POST /oauth/locationToken' }).length).toBe(1)
    expect(refreshes()).toBe(0)
  })
})

it.each([
  ['GHL_UNAVAILABLE', 'is gone'],
  ['GHL_FORBIDDEN', 'stays'],
] as const)('a problem (%s) of an earlier check %s when another call works', async (code, then) => {
  const locationId = await installed()
  bench.installations.edit((await row(locationId)).installationId, {
    row: { problem: { code, message: '' } },
  })
  bench.ghl.tokens.forget(locationId)
  await ask(bench.ghl, locationId)
  expect((await row(locationId)).problem?.code).toBe(then === 'stays' ? code : undefined)
})

it('an unknown location is told apart from a broken one', async () => {
  const locationId = await installed()
  bench.installations.edit((await row(locationId)).installationId, { row: { status: 'uninstalled' } })
  await expect(ask(bench.ghl, locationId)).rejects.toMatchObject({ code: 'GHL_NOT_INSTALLED' })
})
