/** The transport alone, in front of a server that keeps its callers waiting. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { createBreakers } from '../../../src/ghl/breaker.ts'
import { createRateLimiter } from '../../../src/ghl/rate-limit.ts'
import { GhlTransport } from '../../../src/ghl/transport.ts'
import { waitFor } from '../../support/wait-for.ts'

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0)) await end()
})

async function towards(listener: RequestListener) {
  const server: Server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // a TCP server's address is always this
  const outcomes: string[] = []
  const transport = new GhlTransport({
    apiUrl: `http://127.0.0.1:${port}`,
    timeoutMs: 5_000,
    limiter: createRateLimiter(systemClock),
    breakers: createBreakers(systemClock, () => undefined),
    onCall: (outcome) => outcomes.push(outcome),
    clock: systemClock,
  })
  ending.push(async () => {
    await transport.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { transport, outcomes }
}

const as = (resourceId: string) => ({ resourceId, accessToken: () => 'token' })

describe('a call to GHL', () => {
  it('that gets no connection in time ends, and is certainly not sent', async () => {
    let open = 0
    const { transport } = await towards((request) => {
      open += 1
      request.resume()
    })
    const uploads = Array.from({ length: 256 }, (_, n) => {
      const body = new PassThrough()
      body.write('the first piece')
      return transport
        .exchange({ method: 'POST', path: '/slow', stream: { body, headers: {} } }, as(`location ${n}`))
        .catch(() => undefined)
    })
    await waitFor('every connection taken', () => open === 256)
    const waiting = transport.exchange(
      { method: 'POST', path: '/quick', json: {}, timeoutMs: 100 },
      as('other'),
    )
    await expect(waiting).rejects.toMatchObject({ code: 'GHL_UNAVAILABLE', certainty: 'not_sent' })
    expect(open).toBe(256)
    await transport.close()
    await Promise.all(uploads)
  })

  it.each([
    ['GET', 'not_sent'],
    ['POST', 'unknown'],
  ] as const)('whose answer stops in the middle ends in time: %s', async (method, certainty) => {
    const { transport, outcomes } = await towards((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
      response.write('{"half":')
    })
    const call = { method, path: '/x', timeoutMs: 200, ...(method === 'POST' && { json: {} }) }
    await expect(transport.exchange(call, as('location'))).rejects.toMatchObject({
      code: 'GHL_TIMEOUT',
      certainty,
    })
    expect(outcomes).toEqual(['timeout'])
  })

  it('goes over a connection that is there already', async () => {
    const sockets = new Set<unknown>()
    const { transport } = await towards((request, response) => {
      sockets.add(request.socket)
      response.end('{}')
    })
    for (let n = 0; n < 20; n += 1)
      await transport.exchange({ method: 'GET', path: '/x' }, as(`location ${n}`))
    // The next call may come in the very turn in which the one before gives its connection back.
    expect(sockets.size).toBeLessThanOrEqual(2)
  })

  it.each([
    ['seconds', () => '20'],
    ['a date', () => new Date(Date.now() + 20_000).toUTCString()],
  ])('is not repeated before the time that a 503 asks for in %s', async (_, retryAfter) => {
    let calls = 0
    const { transport } = await towards((_request, response) => {
      calls += 1
      response.writeHead(503, { 'retry-after': retryAfter() }).end('{}')
    })
    const { refusal } = await transport.exchange({ method: 'GET', path: '/x' }, as('location'))
    expect(calls).toBe(1)
    expect(refusal?.retryAfterMs).toBeGreaterThan(18_000)
  })

  it('whose answer is lost gives its place in the limit back all the same', async () => {
    let calls = 0
    const { transport } = await towards((request, response) => {
      calls += 1
      if (calls === 1)
        response
          .writeHead(200, { 'x-ratelimit-max': '2', 'x-ratelimit-interval-milliseconds': '200' })
          .end('{}')
      else if (calls < 4) request.socket.destroy()
      else response.end('{}')
    })
    const post = () => transport.exchange({ method: 'POST', path: '/x', json: {} }, as('location'))
    await post()
    for (let n = 0; n < 2; n++) await expect(post()).rejects.toMatchObject({ certainty: 'unknown' })
    expect(await post()).toMatchObject({ status: 200 })
  })

  it('whose caller has gone is told apart, says whether GHL may have done it, and counts for nothing', async () => {
    const gone = new AbortController()
    const { transport, outcomes } = await towards((request) => {
      request.resume()
      gone.abort(new Error('the caller has gone'))
    })
    const call = { method: 'POST', path: '/x', isPassedOn: true, signal: gone.signal } as const
    await expect(transport.open(call, as('location'))).rejects.toMatchObject({
      code: 'CALLER_GONE',
      certainty: 'unknown',
    })
    await expect(transport.open(call, as('location'))).rejects.toMatchObject({
      code: 'CALLER_GONE',
      certainty: 'not_sent',
    })
    expect(outcomes).toEqual([])
  })
})
