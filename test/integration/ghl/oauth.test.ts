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
    const { installation, locationIds } = await ghl.oauth.complete(code)

    expect(locationIds).toEqual([location.id])
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

  it('by an agency connects every chosen location, and one bad location stops no other', async () => {
    bench = await startBench({
      rateLimit: { max: 1_000, intervalMs: 10_000, perDay: 200_000, window: 'fixed' },
    })
    const { ghl, sandbox, installations } = bench
    const locations = Array.from({ length: 130 }, () => sandbox.addLocation())
    sandbox.faults.add({
      route: 'POST /oauth/locationToken',
      skip: 7,
      effect: { kind: 'status', status: 403, body: { message: 'The app is not installed there' } },
    })
    const installed = await ghl.oauth.complete(await approve(ghl.oauth.installUrl('s'), { company: '1' }))

    expect(installed.installation).toMatchObject({ userType: 'Company', companyId: sandbox.companyId })
    const failed = installed.locations.filter(({ outcome }) => outcome === 'failed')
    expect(failed).toMatchObject([{ error: { code: 'GHL_NEEDS_RECONNECT' } }])
    expect(installed.locations.length).toBe(locations.length)
    expect(installed.locationIds.length).toBe(locations.length - 1)
    expect((await installations.list()).length).toBe(locations.length)

    const again = await ghl.oauth.syncCompany(sandbox.companyId)
    expect(
      again.filter(({ outcome }) => outcome === 'installed').map(({ locationId }) => locationId),
    ).toEqual(failed.map(({ locationId }) => locationId))
  })

  it('of a location added later to an agency needs no person', async () => {
    bench = await startBench()
    const { ghl, sandbox } = bench
    await ghl.oauth.complete(await approve(ghl.oauth.installUrl('s'), { company: '1' }))
    const location = sandbox.addLocation()
    sandbox.installIn(location.id)
    const row = await ghl.oauth.installLocation(sandbox.companyId, parseLocationId(location.id))
    expect(row).toMatchObject({ locationId: location.id, companyId: sandbox.companyId, userType: 'Location' })
  })
})
