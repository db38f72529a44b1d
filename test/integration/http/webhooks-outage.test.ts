/** Both webhooks of GHL while the way to the store is dead: a 503 in time, and the same delivery taken once it is back. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GhlApp, startGhlApp } from '../../support/ghl-app.ts'
import { HalfOpenProxy } from '../../support/half-open-proxy.ts'
import { waitFor } from '../../support/wait-for.ts'

interface Page {
  readonly messages?: readonly unknown[]
  readonly events?: readonly unknown[]
}

describe('the webhooks of GHL without a store', () => {
  let app: GhlApp
  let proxy: HalfOpenProxy
  let locationId: string
  beforeAll(async () => {
    app = await startGhlApp({
      storeUrl: async (url) => {
        proxy = await HalfOpenProxy.open(url)
        return proxy.urlOf(url)
      },
    })
    locationId = app.sandbox.addLocation().id
    await app.install({ location: locationId })
  })
  afterAll(async () => {
    await app.stop()
    await proxy.close()
  })

  const post = async (path: string, body: string) => {
    const answer = await fetch(`${app.nodes[0]?.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-ghl-signature': app.sandbox.deliveries.sign(body) },
      body,
    })
    return {
      status: answer.status,
      wait: answer.headers.get('retry-after'),
      body: (await answer.json()) as object,
    }
  }

  it.each<[string, () => object, string]>([
    [
      '/ghl/provider/webhook',
      () => ({
        type: 'SMS',
        locationId,
        contactId: 'abcdefghijklmnopqrst',
        messageId: randomUUID().replaceAll('-', '').slice(0, 20),
        webhookId: randomUUID(),
        phone: '+15551230001',
        message: 'Are you open?',
      }),
      '/api/messages',
    ],
    [
      '/ghl/webhook',
      () => ({
        type: 'UPDATE',
        webhookId: randomUUID(),
        appId: app.sandbox.appId,
        locationId,
        versionId: 'v2',
      }),
      '/api/ghl/events',
    ],
  ])(
    '%s says 503 and takes the same delivery afterwards, once',
    async (path, make, list) => {
      const body = JSON.stringify(make())
      const kept = async () => {
        const { body: page } = await app.call<Page>('GET', `${list}?locationId=${locationId}`)
        return (page.messages ?? page.events ?? []).length
      }
      const before = await kept()
      proxy.stall()
      try {
        const refused = await post(path, body)
        expect(refused).toMatchObject({ status: 503, body: { error: { code: 'STORE_UNAVAILABLE' } } })
        expect(Number(refused.wait)).toBeGreaterThan(0)
      } finally {
        proxy.heal()
      }
      await waitFor(
        'the store',
        async () => (await app.call('GET', '/ready')).status === 200 || undefined,
        60_000,
      )
      expect(await kept()).toBe(before)
      expect(await post(path, body)).toMatchObject({
        status: 200,
        body: { accepted: expect.any(String) as string },
      })
      expect(await kept()).toBe(before + 1)
      expect((await post(path, body)).status).toBe(200)
      expect(await kept()).toBe(before + 1)
    },
    120_000,
  )
})
