import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitFor } from '../../support/wait-for.ts'
import { type GatewayBench, startGatewayBench } from './bench.ts'

describe('the audit of what callers did', () => {
  let bench: GatewayBench
  let locationId: string
  let key: string
  let keyId: string
  beforeAll(async () => {
    bench = await startGatewayBench()
    locationId = await bench.install()
    const made = await bench.key(['proxy:read', 'proxy:write', 'tokens', 'products'], locationId)
    key = made.key
    keyId = made.id
  })
  afterAll(() => bench.stop())

  const rows = async () =>
    (await bench.store.audit.list({ callerId: keyId, limit: 50 })).entries.map(
      ({ action, target, outcome }) => ({ action, target, outcome }),
    )

  /** Sends a request and hangs up when `isDone` says so, without reading the answer. */
  async function hangUp(
    method: string,
    path: string,
    body: string,
    isDone: () => boolean | Promise<boolean>,
  ): Promise<void> {
    const socket = connect(Number(new URL(bench.url).port), '127.0.0.1')
    const head = [
      `${method} ${path} HTTP/1.1`,
      'host: bridge',
      `authorization: Bearer ${key}`,
      'content-type: application/json',
      `content-length: ${Buffer.byteLength(body)}`,
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
    await waitFor('the moment to hang up', isDone)
    socket.destroy()
  }

  it('has a row for a caller who hung up after his write had reached GHL', async () => {
    bench.sandbox.faults.add({
      route: 'POST /contacts/',
      when: 'after',
      effect: { kind: 'delay', ms: 3_000 },
    })
    const body = JSON.stringify({ locationId, firstName: 'Gone', phone: '+15551239901' })
    const hasArrived = () =>
      bench.sandbox.contacts.list(locationId).some(({ text }) => text.firstName === 'Gone')
    await hangUp('POST', `/api/ghl/location/${locationId}/proxy/contacts/`, body, hasArrived)
    const row = await waitFor('the row', async () =>
      (await rows()).find(({ target }) => target === 'POST /contacts/'),
    )
    expect(row).toEqual({
      action: 'POST /api/ghl/location/:locationId/proxy/*',
      target: 'POST /contacts/',
      outcome: 'aborted',
    })
  })

  it('has a row for a caller who hung up over a job of ours', async () => {
    bench.sandbox.faults.add({ route: 'POST /products/', effect: { kind: 'delay', ms: 3_000 } })
    const installationId = (await bench.store.installations.list())[0]?.installationId ?? ''
    const body = JSON.stringify({ installation_id: installationId, name: 'Crown', productType: 'SERVICE' })
    const hasBegun = () => bench.sandbox.calls().some(({ route }) => route.startsWith('GET /products'))
    await hangUp('POST', '/api/products/create', body, hasBegun)
    const row = await waitFor('the row', async () =>
      (await rows()).find(({ action }) => action === 'POST /api/products/create'),
    )
    expect(row).toMatchObject({ target: installationId, outcome: 'aborted' })
  })

  it('has one row for every token lent and for every try that was refused', async () => {
    const { key: unfit, id } = await bench.key(['proxy:read'], locationId)
    const installationId = (await bench.store.installations.list())[0]?.installationId ?? ''
    const path = `/api/token-access/${installationId}`
    expect((await bench.call('GET', path, unfit)).status).toBe(403)
    expect((await bench.call('GET', path, key)).status).toBe(200)
    expect((await bench.call('GET', '/api/token-access/nobody', key)).status).toBe(404)
    const refused = await waitFor('the row of the refused', async () => {
      const { entries } = await bench.store.audit.list({ callerId: id, limit: 50 })
      return entries.length > 0 && entries
    })
    expect(refused).toMatchObject([{ action: 'GET /api/token-access/:installationId', outcome: '403' }])
    const own = await waitFor('both rows', async () => {
      const found = (await rows()).filter(({ action }) => action.includes('token-access'))
      return found.length > 1 && found
    })
    expect(own.map(({ target, outcome }) => [target, outcome])).toEqual([
      ['nobody', '404'],
      [installationId, '200'],
    ])
  })
})
