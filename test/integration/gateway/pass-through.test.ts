/** What goes through the gateway both ways, seen from a GHL that only listens: methods, headers, bodies and their timing. */
import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { waitFor } from '../../support/wait-for.ts'
import { codeOf, type GatewayBench, OPERATOR, startGatewayBench } from './bench.ts'

interface Heard {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  body: string
}

describe('the gateway’s passing on', () => {
  let bench: GatewayBench
  let ghl: Server
  let locationId: string
  let heard: Heard[]
  let answer: (response: ServerResponse) => void
  beforeAll(async () => {
    bench = await startGatewayBench({}, async (sandboxUrl) => {
      ghl = createServer((incoming, response) => {
        const { method = '', url = '', headers } = incoming
        if (url.startsWith('/oauth/')) {
          const onward = request(`${sandboxUrl}${url}`, { method, headers }, (answered) => {
            response.writeHead(answered.statusCode ?? 500, answered.headers)
            answered.pipe(response)
          })
          incoming.pipe(onward)
          return
        }
        const one: Heard = { method, url, headers, body: '' }
        heard.push(one)
        incoming.on('data', (chunk: Buffer) => {
          one.body += chunk.toString('latin1')
        })
        incoming.on('end', () => {
          answer(response)
        })
      })
      ghl.listen(0, '127.0.0.1')
      await once(ghl, 'listening')
      const { port } = ghl.address() as AddressInfo // it listens on TCP
      return `http://127.0.0.1:${port}`
    })
    locationId = await bench.install()
  })
  afterAll(async () => {
    await bench.stop()
    ghl.close()
  })
  beforeEach(() => {
    heard = []
    answer = (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
  })

  const address = (path: string) => `${bench.url}/api/ghl/location/${locationId}/proxy${path}`
  const pass = (path: string, init: RequestInit = {}) =>
    fetch(address(path), {
      ...init,
      headers: { ...Object.fromEntries(new Headers(init.headers)), authorization: `Bearer ${OPERATOR}` },
    })
  const json = { 'content-type': 'application/json' }

  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])('passes %s, with its body', async (method) => {
    const hasBody = method !== 'GET' && method !== 'HEAD'
    const body = hasBody ? { body: '{"name":"Ana"}', headers: json } : {}
    const got = await pass('/contacts/c1?x=1', { method, ...body })
    expect(got.status).toBe(200)
    expect(heard).toMatchObject([{ method, url: '/contacts/c1?x=1', body: hasBody ? '{"name":"Ana"}' : '' }])
    expect(await got.text()).toBe(method === 'HEAD' ? '' : '{"ok":true}')
  })

  it('says which methods there are to whoever asks or tries another', async () => {
    const got = await pass('/contacts/c1', { method: 'OPTIONS' })
    expect([got.status, got.headers.get('allow'), await codeOf(got)]).toEqual([
      405,
      'GET, HEAD, POST, PUT, PATCH, DELETE',
      'METHOD_NOT_ALLOWED',
    ])
    expect(heard).toEqual([])
  })

  it('keeps to itself what is said to us, and what is the connection’s', async () => {
    await pass('/contacts/c1', {
      headers: {
        cookie: 'a=b',
        'x-forwarded-for': '10.0.0.1',
        'x-secret': 'ours',
        referer: 'https://bridge.example/console',
        'accept-language': 'pt-BR',
        'if-none-match': '"v1"',
      },
    })
    const [one] = heard
    const names = Object.keys(one?.headers ?? {})
    for (const kept of ['cookie', 'x-forwarded-for', 'x-secret', 'referer']) expect(names).not.toContain(kept)
    expect(one?.headers).toMatchObject({ 'accept-language': 'pt-BR', 'if-none-match': '"v1"' })
    expect(one?.headers.authorization).not.toContain(OPERATOR)
  })

  it('gives GHL’s headers back by name, and none of our own limits', async () => {
    answer = (response) =>
      response
        .writeHead(200, {
          'content-type': 'text/csv',
          etag: '"v1"',
          'x-ratelimit-remaining': '77',
          'set-cookie': 'ghl=1',
          server: 'cloud',
          'access-control-allow-origin': '*',
        })
        .end('a,b')
    const { headers } = await pass('/contacts/c1')
    expect(headers.get('etag')).toBe('"v1"')
    expect(headers.get('x-ratelimit-remaining')).toBe('77')
    for (const name of ['set-cookie', 'server', 'access-control-allow-origin', 'x-ratelimit-limit'])
      expect([name, headers.get(name)]).toEqual([name, null])
  })

  it.each([204, 304])('passes a %i without a body', async (status) => {
    answer = (response) => response.writeHead(status, { etag: '"v1"' }).end()
    const got = await pass('/contacts/c1', { headers: { 'if-none-match': '"v1"' } })
    expect([got.status, got.headers.get('etag'), await got.text()]).toEqual([status, '"v1"', ''])
  })

  it('passes the first bytes of a long body on before the last are there', async () => {
    let end: (() => void) | undefined
    const ended = new Promise<void>((resolve) => (end = resolve))
    const first = Buffer.alloc(100_000, 'a')
    const body = Readable.toWeb(
      Readable.from(
        (async function* () {
          yield first
          await ended
          yield Buffer.from('last')
        })(),
      ),
    ) as ReadableStream // Node's own, under the name of the web's
    const sending = pass('/medias/upload-file', {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'content-type': 'application/octet-stream' },
    } as RequestInit)
    await waitFor('the first bytes', () => (heard[0]?.body.length ?? 0) >= first.length)
    expect(heard[0]?.body).not.toContain('last')
    end?.()
    expect((await sending).status).toBe(200)
    expect(heard[0]?.body.slice(-5)).toBe('alast')
  })

  it('passes the first bytes of an answer on before the last are there', async () => {
    let open: ServerResponse | undefined
    answer = (response) => {
      open = response.writeHead(200, { 'content-type': 'text/plain' })
      response.write('first ')
    }
    const { body } = await pass('/contacts/c1')
    const reader = body?.getReader()
    const chunk = await reader?.read()
    expect(Buffer.from(chunk?.value ?? []).toString()).toBe('first ')
    open?.end('last')
    const rest = await reader?.read()
    expect(Buffer.from(rest?.value ?? []).toString()).toBe('last')
  })

  /** As a stream, so that no length is announced. */
  const chunked = (body: string, type = 'application/json') =>
    ({
      method: 'POST',
      body: new Blob([body]).stream(),
      duplex: 'half',
      headers: { 'content-type': type },
    }) as RequestInit

  const SPENT = { statusCode: 401, message: 'Invalid JWT' }
  /** GHL takes the first token for spent. */
  const refuseOnce = () => {
    const usual = answer
    answer = (response) => {
      answer = usual
      response.writeHead(401, json).end(JSON.stringify(SPENT))
    }
  }

  it('sends a short body again when its token was spent, whether its length was announced or not', async () => {
    refuseOnce()
    const got = await pass('/contacts/', chunked('{"firstName":"Ana"}'))
    expect([got.status, heard.map(({ body }) => body)]).toEqual([
      200,
      ['{"firstName":"Ana"}', '{"firstName":"Ana"}'],
    ])
  })

  it('says “send it again” for a long body whose token was spent', async () => {
    refuseOnce()
    const long = 'x'.repeat(200_000)
    const got = await pass('/medias/upload-file', chunked(long, 'application/octet-stream'))
    expect([got.status, got.headers.get('retry-after')]).toEqual([503, '5'])
    expect(await got.json()).toMatchObject({
      error: { code: 'GHL_TOKEN_RENEWED', action: expect.stringContaining('again') as string },
    })
    const again = await pass('/medias/upload-file', chunked(long, 'application/octet-stream'))
    expect([again.status, heard[1]?.body.length]).toEqual([200, long.length])
  })

  const OTHER = 'otherLocation0000001'
  it.each([
    `/locations/${OTHER}`,
    `/social-media-posting/${OTHER}/posts/list`,
    `/social-media-posting/oauth/${OTHER}/facebook/accounts/a1`,
    `/conversations/locations/${OTHER}/messages/m1/transcription`,
    `/conversations/messages/m1/locations/${OTHER}/recording`,
    `/conversations/messages/m1/%6cocations/${OTHER}/recording`,
    `/contacts/?locationId[]=${OTHER}`,
    `/contacts/?locationId%5B0%5D=${OTHER}`,
    `/contacts/?LocationId=${OTHER}`,
    `/products/collections/c1?altId=${OTHER}`,
    `/medias/files?altType=company&altType=location&altId=${OTHER}`,
  ])('does not pass %s', async (path) => {
    const got = await pass(path)
    expect([got.status, await codeOf(got)]).toEqual([403, 'FORBIDDEN'])
    expect(heard).toEqual([])
  })

  it.each([
    ['locationId', { locationId: OTHER }],
    ['altId of a location', { altType: 'location', altId: OTHER }],
    ['a list', { locationId: [OTHER] }],
  ])('does not pass a body that names another location: %s', async (_, body) => {
    const got = await pass('/contacts/', { method: 'POST', headers: json, body: JSON.stringify(body) })
    expect([got.status, await codeOf(got)]).toEqual([403, 'FORBIDDEN'])
    const form = new URLSearchParams({ locationId: OTHER })
    expect((await pass('/contacts/', { method: 'POST', body: form })).status).toBe(403)
    expect((await pass('/contacts/', chunked(JSON.stringify(body)))).status).toBe(403)
    expect(heard).toEqual([])
  })

  it('passes what names the own location, a company, or a message’s label', async () => {
    for (const path of [
      `/social-media-posting/${locationId}/posts/list`,
      '/social-media-posting/oauth/facebook/start',
      `/conversations/locations/${locationId}/messages/m1/transcription`,
      `/contacts/?locationId[]=${locationId}`,
      '/medias/files?altType=company&altId=agency1',
    ])
      expect([path, (await pass(path)).status]).toEqual([path, 200])
    const label = { method: 'POST', headers: json, body: JSON.stringify({ locationId, altId: 'WAMESSAGE1' }) }
    expect((await pass('/conversations/messages/inbound', label)).status).toBe(200)
  })

  it.each([
    '/contacts/..;/oauth/x',
    '/contacts/..;a=b/x',
    '/contacts/.;/x',
    '/contacts/;/x',
    '/contacts/%2e%2e%3b/x',
  ])('does not follow %s', async (path) => {
    // Not by fetch, which would tidy it.
    const { hostname, port } = new URL(bench.url)
    const sent = request({
      hostname,
      port,
      path: new URL(address('')).pathname + path,
      headers: { authorization: `Bearer ${OPERATOR}` },
    }).end()
    const [got] = (await once(sent, 'response')) as [IncomingMessage] // what the event gives
    expect([got.statusCode, await text(got)]).toEqual([400, expect.stringContaining('REQUEST_INVALID')])
    expect(heard).toEqual([])
  })
})
