import { afterEach, describe, expect, it } from 'vitest'
import { parseLocationId } from '../../../src/core/ids.ts'
import { approve, type Bench, startBench } from './bench.ts'

let bench: Bench
afterEach(async () => {
  expect(bench.sandbox.stats().oddities).toEqual([])
  await bench.stop()
})

describe('installing the app', () => {
  it('in one location ends with a stored installation and a token that works', async () => {
    bench = await startBench({ settings: { requireVersionId: false } })
    const { ghl, sandbox, installations } = bench
    const location = sandbox.addLocation({ name: 'Dental Care' })
    const code = await approve(ghl.oauth.installUrl('s'), { location_id: location.id })
    const installation = await ghl.oauth.complete(code)

    expect(installation).toMatchObject({ locationId: location.id, userType: 'Location', status: 'active' })
    expect(installation.scopes).toContain('conversations/message.write')
    const stored = await installations.readTokens(installation.installationId)
    expect(stored?.accessToken).toBeTruthy()
    expect(stored?.refreshToken).toBeTruthy()
    const locationId = parseLocationId(location.id)
    expect(await ghl.contacts.findOrCreate(locationId, '+15551230001', 'Ada')).toBeTruthy()
  })

  it('carries the version of a draft app in the link', async () => {
    bench = await startBench({ settings: { requireVersionId: true } })
    const refused = await fetch(bench.ghl.oauth.installUrl('s'))
    expect(refused.status).toBe(400)
    const other = await startBench({ settings: { requireVersionId: true } }, { appVersionId: 'v1' })
    expect(new URL(other.ghl.oauth.installUrl('s')).searchParams.get('version_id')).toBe('v1')
    await other.stop()
  })

  it('with a code that was used says what to do', async () => {
    bench = await startBench()
    const { ghl, sandbox } = bench
    const code = await approve(ghl.oauth.installUrl('s'), { location_id: sandbox.addLocation().id })
    await ghl.oauth.complete(code)
    const again = ghl.oauth.complete(code)
    await expect(again).rejects.toHaveProperty('code', 'REQUEST_INVALID')
    await expect(again).rejects.toHaveProperty('action', expect.stringContaining('install link'))
  })

  it('waits for the code’s tokens as long as for anything of GHL’s: they are given once', async () => {
    bench = await startBench({}, { timeoutMs: 20_000 })
    const { ghl, sandbox } = bench
    const code = await approve(ghl.oauth.installUrl('s'), { location_id: sandbox.addLocation().id })
    // Longer than a refresh, which can be repeated, waits.
    sandbox.faults.add({ route: 'POST /oauth/token', when: 'after', effect: { kind: 'delay', ms: 8_500 } })
    expect(await ghl.oauth.complete(code)).toMatchObject({ status: 'active' })
  }, 30_000)

  it('of a location that no agency is named for asks the next agency when one is broken', async () => {
    bench = await startBench()
    const { ghl, sandbox, installations } = bench
    await installations.save({
      locationId: undefined,
      companyId: 'brokenAgency',
      userType: 'Company',
      scopes: '',
      tokens: { accessToken: 'x', refreshToken: 'dead', expiresAt: new Date(Date.now() - 1_000) },
    })
    const alone = parseLocationId(sandbox.addLocation().id)
    await expect(ghl.oauth.connect(alone, undefined)).rejects.toHaveProperty('code', 'GHL_NEEDS_RECONNECT')
    await ghl.oauth.complete(await approve(ghl.oauth.installUrl('s'), { company: '1' }))
    const location = sandbox.addLocation()
    sandbox.installIn(location.id)
    expect(await ghl.oauth.connect(parseLocationId(location.id), undefined)).toBe('connected')
  })

  it('of a location added later to an agency needs no person', async () => {
    bench = await startBench()
    const { ghl, sandbox, installations } = bench
    await ghl.oauth.complete(await approve(ghl.oauth.installUrl('s'), { company: '1' }))
    const location = sandbox.addLocation()
    sandbox.installIn(location.id)
    const locationId = parseLocationId(location.id)
    // GHL may not say whose the location is.
    expect(await ghl.oauth.connect(locationId, undefined)).toBe('connected')
    expect(await installations.findByLocation(locationId)).toMatchObject({
      companyId: sandbox.companyId,
      userType: 'Location',
      isBulk: true,
    })
    expect(await ghl.oauth.connect(parseLocationId('elsewhere'), 'unknown-agency')).toBe('no_agency')
  })
})
