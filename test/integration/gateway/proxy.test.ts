import { createHash, randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { waitFor } from '../../support/wait-for.ts'
import { codeOf, type GatewayBench, OPERATOR, startGatewayBench } from './bench.ts'

describe('the gateway', () => {
  let bench: GatewayBench
  let locationId: string
  let other: string
  let key: string
  beforeAll(async () => {
    bench = await startGatewayBench()
    locationId = await bench.install()
    other = await bench.install('Other')
    key = (await bench.key(['proxy:read', 'proxy:write'], locationId)).key
  })
  afterAll(() => bench.stop())

  const proxy = (location = locationId) => `/api/ghl/location/${location}/proxy`

  /** As written, without the tidying that fetch and URL do. */
  async function raw(method: string, path: string, bearer = key): Promise<{ status: number; body: string }> {
    const { port } = new URL(bench.url)
    const socket = connect(Number(port), '127.0.0.1')
    const lines = [
      `${method} ${path} HTTP/1.1`,
      'host: bridge',
      `authorization: Bearer ${bearer}`,
      'connection: close',
    ]
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    const answer = await text(socket)
    return { status: Number(answer.slice(9, 12)), body: answer.slice(answer.indexOf('\r\n\r\n')) }
  }

  it('passes a read on, with GHL’s status, body and limits', async () => {
    const contact = bench.sandbox.contacts.add(locationId, { name: 'Ana', phone: '+15551230001' })
    const answer = await bench.call('GET', `${proxy()}/contacts/${contact.id}`, key)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ contact: { id: contact.id } })
    expect(answer.headers.get('x-ratelimit-max')).toBe('100')
    const missing = await bench.call('GET', `${proxy()}/contacts/nobody`, key)
    expect([missing.status, ((await missing.json()) as { message?: string }).message]).toEqual([
      400,
      expect.stringMatching(/not found/i),
    ])
  })

  it('passes a write on once, and never what was said to us for us', async () => {
    const json = { locationId, firstName: 'Ben', phone: '+15551230002' }
    bench.sandbox.forget()
    const answer = await bench.call('POST', `${proxy()}/contacts/`, key, json)
    expect(answer.status).toBe(201)
    const calls = bench.sandbox.calls()
    expect(calls.map(({ route, status }) => [route, status])).toEqual([['POST /contacts/', 201]])
    // The sandbox took our token for it, so the caller's bearer was not passed on.
    expect(calls[0]?.locationId).toBe(locationId)
  })

  it('sets the version of the area, and passes a version that the caller chose', async () => {
    bench.sandbox.forget()
    await bench.call('GET', `${proxy()}/conversations/search?locationId=${locationId}`, key)
    await fetch(`${bench.url}${proxy()}/contacts/nobody`, {
      headers: { authorization: `Bearer ${key}`, version: '2023-02-21' },
    })
    expect(bench.sandbox.calls().map(({ version }) => version)).toEqual(['2021-04-15', '2023-02-21'])
    const odd = await fetch(`${bench.url}${proxy()}/contacts/nobody`, {
      headers: { authorization: `Bearer ${key}`, version: 'latest' },
    })
    expect([odd.status, await codeOf(odd)]).toEqual([400, 'REQUEST_INVALID'])
  })

  it.each([
    ['a parent', '/contacts/../oauth/installedLocations'],
    ['an encoded parent', '/contacts/%2e%2e/oauth/installedLocations'],
    ['a half encoded parent', '/contacts/.%2e/x'],
    ['a twice encoded parent', '/contacts/%252e%252e/x'],
    ['an encoded slash', '/contacts%2f..%2foauth/token'],
    ['a backslash', '/contacts/..\\oauth'],
    ['an encoded backslash', '/contacts/%5c..%5coauth'],
    ['another host', '//evil.example/contacts/x'],
    ['an absolute URL', '/https://evil.example/contacts'],
    ['a user before a host', '/@evil.example/contacts'],
    ['an encoded NUL', '/contacts/%00'],
    ['an encoded line end', '/contacts/%0d%0aHost:%20evil'],
    ['no path', '/'],
  ])('does not follow %s', async (_, path) => {
    bench.sandbox.forget()
    const answer = await raw('GET', `${proxy()}${path}`)
    expect([400, 403, 404]).toContain(answer.status)
    expect(answer.body).toMatch(/"code":"(REQUEST_INVALID|PATH_NOT_ALLOWED|NOT_FOUND)"/)
    expect(bench.sandbox.calls()).toEqual([])
  })

  it.each(['/oauth/installedLocations', '/saas/x', '/snapshots/', '/companies/x', '/contactsx/'])(
    'does not open %s',
    async (path) => {
      bench.sandbox.forget()
      const answer = await bench.call('GET', `${proxy()}${path}`, key)
      expect([answer.status, await codeOf(answer)]).toEqual([403, 'PATH_NOT_ALLOWED'])
      expect(bench.sandbox.calls()).toEqual([])
    },
  )

  it('does not reach another location, by path, query or key', async () => {
    bench.sandbox.forget()
    for (const path of [
      `${proxy()}/locations/${other}`,
      `${proxy()}/conversations/search?locationId=${other}`,
      `${proxy()}/conversations/search?locationId=${locationId}&locationId=${other}`,
      `${proxy()}/medias/files?altType=location&altId=${other}`,
      `${proxy(other)}/contacts/x`,
    ]) {
      const answer = await bench.call('GET', path, key)
      expect([path, answer.status, await codeOf(answer)]).toEqual([path, 403, 'FORBIDDEN'])
    }
    expect(bench.sandbox.calls()).toEqual([])
    const json = { locationId: other, firstName: 'Eve', phone: '+15551230009' }
    expect((await bench.call('POST', `${proxy()}/contacts/`, key, json)).status).toBe(403)
    expect(bench.sandbox.calls()).toEqual([])
  })

  it('lets a key do what its scopes say, and no more', async () => {
    const { key: reader } = await bench.key(['proxy:read'], locationId)
    bench.sandbox.forget()
    expect((await bench.call('GET', `${proxy()}/contacts/nobody`, reader)).status).toBe(400)
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await bench.call(
        method,
        `${proxy()}/contacts/x`,
        reader,
        method === 'DELETE' ? undefined : {},
      )
      expect([method, answer.status, await codeOf(answer)]).toEqual([method, 403, 'FORBIDDEN'])
    }
    const files = `${proxy()}/medias/files?altType=location&altId=${locationId}&type=file&sortBy=createdAt&sortOrder=asc`
    expect((await bench.call('GET', files, reader)).status).toBe(200)
    const { key: unfit } = await bench.key(['products'], locationId)
    expect((await bench.call('GET', `${proxy()}/contacts/x`, unfit)).status).toBe(403)
    expect((await bench.call('GET', `${proxy()}/contacts/x`, 'nobody')).status).toBe(401)
    expect(bench.sandbox.calls().length).toBe(2)
  })

  it('says so for a location without the app', async () => {
    const answer = await bench.call('GET', `${proxy('nowhere')}/contacts/x`, OPERATOR)
    expect([answer.status, await codeOf(answer)]).toEqual([404, 'GHL_NOT_INSTALLED'])
  })

  it('repeats a read that GHL fails, and never a write', async () => {
    const effect = { kind: 'status', status: 503 } as const
    bench.sandbox.faults.add({ route: 'GET /contacts/:contactId', times: 1, effect })
    bench.sandbox.faults.add({ route: 'POST /contacts/', times: 1, effect })
    bench.sandbox.faults.add({ route: 'PUT /contacts/:contactId', times: 1, effect })
    expect((await bench.call('GET', `${proxy()}/contacts/nobody`, key)).status).toBe(400)
    expect((await bench.call('POST', `${proxy()}/contacts/`, key, { locationId })).status).toBe(503)
    expect((await bench.call('PUT', `${proxy()}/contacts/x`, key, { firstName: 'x' })).status).toBe(503)
    bench.sandbox.faults.clear()
  })

  it('renews a token that GHL calls spent, for a read and for a small write', async () => {
    for (const n of [3, 4]) {
      bench.sandbox.tokens.expireAccess(locationId)
      const json = { locationId, firstName: 'Ben', phone: `+1555123000${n}` }
      expect((await bench.call('POST', `${proxy()}/contacts/`, key, json)).status).toBe(201)
    }
  })

  it('uploads to the media library, streaming, with the scope media alone', async () => {
    const { key: media } = await bench.key(['media'], locationId)
    const bytes = randomBytes(8 * 1024 * 1024)
    const form = new FormData()
    form.append('file', new Blob([bytes], { type: 'image/jpeg' }), 'photo.jpg')
    form.append('name', 'photo.jpg')
    const answer = await fetch(`${bench.url}${proxy()}/medias/upload-file`, {
      method: 'POST',
      headers: { authorization: `Bearer ${media}` },
      body: form,
    })
    const { url } = (await answer.json()) as { url: string } // as GHL answers
    expect(answer.status).toBe(200)
    const stored = Buffer.from(await (await fetch(url)).arrayBuffer())
    const sha = (data: Uint8Array) => createHash('sha256').update(data).digest('hex')
    expect(sha(stored)).toBe(sha(bytes))
    expect((await bench.call('GET', `${proxy()}/contacts/x`, media)).status).toBe(403)
  })

  it('leaves a row for every call, with the path and without the query', async () => {
    await bench.call('GET', `${proxy()}/contacts/audited?query=secret-words`, key)
    const answer = await waitFor('the row', async () => {
      const page = await (await bench.call('GET', `/api/audit?locationId=${locationId}`)).text()
      return page.includes('/contacts/audited') && page
    })
    expect(answer).not.toContain('secret-words')
  })

  describe('token access', () => {
    const installationOf = async (location: string) =>
      (await bench.store.installations.list()).find((row) => row.locationId === location)?.installationId ??
      ''

    it('lends a valid token to a key with the scope, and writes it down before', async () => {
      const { key: lender, id } = await bench.key(['tokens'], locationId)
      const installationId = await installationOf(locationId)
      const answer = await bench.call('GET', `/api/token-access/${installationId}`, lender)
      const body = (await answer.json()) as Record<string, string> // our own contract
      expect(body).toEqual({
        success: true,
        access_token: expect.any(String) as string,
        installation_id: installationId,
        locationId,
      })
      const used = await fetch(`${bench.sandbox.url}/locations/${locationId}`, {
        headers: { authorization: `Bearer ${body['access_token']}`, version: '2021-07-28' },
      })
      expect(used.status).toBe(200)
      expect(answer.headers.get('cache-control')).toBe('no-store')
      const { entries } = await bench.store.audit.list({ callerId: id, limit: 10 })
      expect(entries).toMatchObject([{ locationId, target: installationId, outcome: '200' }])
    })

    it('says success false for an unknown installation', async () => {
      const { key: lender } = await bench.key(['tokens'])
      const answer = await bench.call('GET', '/api/token-access/nobody', lender)
      expect(answer.status).toBe(404)
      expect(await answer.json()).toMatchObject({
        success: false,
        error: {
          code: 'INSTALLATION_UNKNOWN',
          action: expect.stringContaining('/api/ghl/locations') as string,
        },
      })
    })

    it('refuses whoever may not', async () => {
      const { key: lender } = await bench.key(['tokens'], locationId)
      const { key: unfit } = await bench.key(['proxy:read'], locationId)
      const own = `/api/token-access/${await installationOf(locationId)}`
      const foreign = `/api/token-access/${await installationOf(other)}`
      for (const [path, bearer, status] of [
        [foreign, lender, 403],
        [own, unfit, 403],
        [own, OPERATOR, 403],
        [own, 'nobody', 401],
        ['/api/token-access/a.b', lender, 400],
      ] as const) {
        const answer = await bench.call('GET', path, bearer)
        expect([path, answer.status]).toEqual([path, status])
        expect(await answer.text()).not.toContain('access_token')
      }
    })

    it('is limited per key', async () => {
      const { key: greedy } = await bench.key(['tokens'], locationId)
      const path = `/api/token-access/${await installationOf(locationId)}`
      const statuses: number[] = []
      for (let n = 0; n < 31; n++) statuses.push((await bench.call('GET', path, greedy)).status)
      expect(statuses.slice(0, 30).every((status) => status === 200)).toBe(true)
      expect(statuses[30]).toBe(429)
    })
  })
})
