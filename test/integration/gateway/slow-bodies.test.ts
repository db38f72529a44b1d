/** Bodies over a slow line, against limits that are the real ones scaled down. */
import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { BODY_TIMES, type GatewayBench, OPERATOR, startGatewayBench } from './bench.ts'

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('a body that comes slowly', () => {
  let bench: GatewayBench
  let locationId: string
  beforeAll(async () => {
    bench = await startGatewayBench()
  })
  afterAll(() => bench.stop())
  beforeEach(async () => {
    locationId = await bench.install()
    bench.sandbox.forget()
  })

  /** Sends the pieces with `gapMs` before each; the status, 0 when the connection ended without an answer. */
  async function send(
    path: string,
    contentType: string,
    pieces: readonly Uint8Array[],
    gapMs: number,
  ): Promise<{ readonly status: number; readonly body: string; readonly tookMs: number }> {
    const startMs = performance.now()
    const done = Promise.withResolvers<{ status: number; body: string }>()
    const outgoing = request(`${bench.url}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${OPERATOR}`,
        'content-type': contentType,
        'content-length': String(pieces.reduce((sum, piece) => sum + piece.length, 0)),
      },
    })
    outgoing.on('error', () => done.resolve({ status: 0, body: '' }))
    outgoing.on('response', (response) => {
      let body = ''
      response.on('data', (chunk: Buffer) => (body += chunk.toString()))
      response.on('close', () => done.resolve({ status: response.statusCode ?? 0, body }))
    })
    const over = new AbortController()
    void done.promise.then(() => over.abort())
    for (const piece of pieces) {
      await pause(gapMs)
      if (over.signal.aborted) break
      outgoing.write(piece)
    }
    outgoing.end()
    return { ...(await done.promise), tookMs: performance.now() - startMs }
  }

  /** A file of so many pieces as a multipart body. */
  function upload(pieces: number) {
    const bytes = randomBytes(pieces * 50_000)
    const boundary = 'slow-line'
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="film.mp4"\r\ncontent-type: video/mp4\r\n\r\n`
    const parts = Array.from({ length: pieces }, (_, n) => bytes.subarray(n * 50_000, (n + 1) * 50_000))
    return {
      bytes,
      contentType: `multipart/form-data; boundary=${boundary}`,
      body: [Buffer.from(head), ...parts, Buffer.from(`\r\n--${boundary}--\r\n`)],
    }
  }
  const mediaPath = () => `/api/ghl/location/${locationId}/proxy/medias/upload-file`

  it('is let come to its end when it is a file on its way to GHL', async () => {
    const film = upload(18)
    const { status, body, tookMs } = await send(mediaPath(), film.contentType, film.body, 200)
    expect(tookMs).toBeGreaterThan(3 * BODY_TIMES.wholeMs)
    expect([status, body]).toEqual([200, expect.stringContaining('url')])
    const { url } = JSON.parse(body) as { url: string } // as GHL answers
    expect(sha(new Uint8Array(await (await fetch(url)).arrayBuffer()))).toBe(sha(film.bytes))
  })

  it('is ended when nothing of the file comes any more, and GHL keeps nothing', async () => {
    const film = upload(4)
    const [head = new Uint8Array(), first = new Uint8Array(), ...rest] = film.body
    const pieces = [Buffer.concat([head, first]), Buffer.concat(rest)]
    const { status, tookMs } = await send(mediaPath(), film.contentType, pieces, 4 * BODY_TIMES.stallMs)
    expect([0, 408]).toContain(status)
    expect(tookMs).toBeGreaterThan(BODY_TIMES.stallMs)
    expect(bench.sandbox.medias(locationId)).toEqual([])
  })

  it('is ended when the file trickles for longer than any call to GHL may take', async () => {
    const film = upload(60)
    const { status, tookMs } = await send(mediaPath(), film.contentType, film.body, 250)
    expect([0, 408]).toContain(status)
    expect(tookMs).toBeGreaterThanOrEqual(BODY_TIMES.streamMs)
    expect(bench.sandbox.medias(locationId)).toEqual([])
  })

  it('is answered 408 where the body is read whole, and changes nothing', async () => {
    const text = Buffer.from(JSON.stringify({ name: 'Slow', scopes: ['sync'] }))
    const pieces = Array.from({ length: text.length }, (_, n) => text.subarray(n, n + 1))
    const { status } = await send('/api/keys', 'application/json', pieces, 60)
    expect(status).toBe(408)
    expect((await bench.store.serviceKeys.list()).some(({ name }) => name === 'Slow')).toBe(false)
  })

  it('is limited on paths that are none, too, and a quick one is not touched', async () => {
    const pieces = Array.from({ length: 40 }, () => Buffer.from('x'))
    expect([404, 408]).toContain((await send('/nowhere', 'application/json', pieces, 60)).status)
    const text = Buffer.from(JSON.stringify({ name: 'Quick', scopes: ['sync'] }))
    expect((await send('/api/keys', 'application/json', [text], 0)).status).toBe(201)
  })
})
