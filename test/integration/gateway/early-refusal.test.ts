/** A GHL that has seen enough of an upload: it answers before the end of the body and hangs up, on real sockets. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseGhlContactId, parseLocationId } from '../../../src/core/ids.ts'
import { type GatewayBench, OPERATOR, startGatewayBench } from './bench.ts'

const BODY = '{"status":413,"message":"File too large: 5 MB is the most"}'
const REFUSAL = `HTTP/1.1 413 Payload Too Large\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\nconnection: close\r\n\r\n${BODY}`
/** Held back whole by no buffer on the way. */
const LARGE = 20_000_000

const hangUp = (socket: Socket): void => {
  // What has come and is not read makes the system answer with a reset.
  socket.pause()
  socket.write(REFUSAL, () => socket.destroy())
}
const reset = (socket: Socket): void => {
  socket.pause()
  socket.write(REFUSAL, () => socket.resetAndDestroy())
}

describe('an upload that GHL refuses before its end', () => {
  let bench: GatewayBench
  let ghl: Server
  let locationId: string
  let refuse: (socket: Socket) => void
  beforeAll(async () => {
    bench = await startGatewayBench({}, async (sandboxUrl) => {
      const { hostname, port } = new URL(sandboxUrl)
      ghl = createServer((socket) => {
        socket.on('error', () => undefined)
        const onward = connect(Number(port), hostname)
        onward.on('error', () => undefined)
        onward.pipe(socket, { end: false })
        let isRefused = false
        socket.on('data', (chunk) => {
          if (isRefused) return
          isRefused = /^POST \S+\/(upload-file|upload) /.test(chunk.toString('latin1'))
          if (isRefused) refuse(socket)
          else onward.write(chunk)
        })
        socket.on('close', () => onward.destroy())
      })
      ghl.listen(0, '127.0.0.1')
      await once(ghl, 'listening')
      return `http://127.0.0.1:${(ghl.address() as AddressInfo).port}` // it listens on TCP
    })
    locationId = await bench.install()
  })
  afterAll(async () => {
    await bench.stop()
    ghl.close()
  })

  /** Not by Node's own client, which stops sending when an answer comes early. */
  const caller = async () => {
    const { hostname, port } = new URL(bench.url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    return {
      /** Looks for the answer only when all is sent, as many a caller does. */
      async upload(bytes: number, how: 'stays' | 'goes' | 'chunked', where = locationId): Promise<string> {
        const head = [
          `POST /api/ghl/location/${where}/proxy/medias/upload-file HTTP/1.1`,
          `host: ${hostname}`,
          `authorization: Bearer ${OPERATOR}`,
          'content-type: application/octet-stream',
          how === 'chunked' ? 'transfer-encoding: chunked' : `content-length: ${bytes}`,
          `connection: ${how === 'goes' ? 'close' : 'keep-alive'}`,
        ].join('\r\n')
        const body = Buffer.alloc(bytes)
        const framed =
          how === 'chunked'
            ? [Buffer.from(`${bytes.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]
            : [body]
        const sent = Buffer.concat([Buffer.from(`${head}\r\n\r\n`), ...framed])
        await new Promise<void>((resolve, reject) => {
          socket.write(sent, (error) => {
            if (error == null) resolve()
            else reject(error)
          })
        })
        let got = ''
        for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
          got += chunk.toString()
          if (got.endsWith('}')) break
        }
        return got
      },
      end: () => void socket.destroy(),
    }
  }

  describe.each([
    ['reads on', (socket: Socket) => void socket.end(REFUSAL)],
    ['closes without reading on', hangUp],
    ['resets the connection', reset],
  ])('and GHL %s', (_, how) => {
    it.each([200_000, LARGE])('of %i bytes is answered with GHL’s own refusal', async (bytes) => {
      refuse = how
      const { upload, end } = await caller()
      // On one connection, which each leaves in order for the next.
      for (const manner of ['stays', 'chunked', 'goes'] as const) {
        const got = await upload(bytes, manner)
        expect([manner, got.slice(0, 12), got.slice(-BODY.length)]).toEqual([manner, 'HTTP/1.1 413', BODY])
      }
      end()
    })
  })

  it('without a word is told apart from a GHL that cannot be reached, and was certainly not taken', async () => {
    refuse = (socket) => void socket.resetAndDestroy()
    const { upload, end } = await caller()
    const got = await upload(LARGE, 'goes')
    expect(got).toMatch(/^HTTP\/1.1 502 .*"GHL_UPLOAD_CUT_OFF".*larger than GHL takes/s)
    end()
  })

  it('that does not even get to GHL is answered all the same', async () => {
    const { upload, end } = await caller()
    for (const manner of ['stays', 'chunked', 'goes'] as const)
      expect(await upload(LARGE, manner, 'nowhere')).toMatch(/^HTTP\/1.1 404 .*GHL_NOT_INSTALLED/s)
    end()
  })

  it('is a file too large when it is one of a WhatsApp message, and is not tried for ever', async () => {
    refuse = hangUp
    const location = parseLocationId(locationId)
    const contact = parseGhlContactId(bench.sandbox.contacts.add(location, { name: 'Ana' }).id)
    const sending = bench.ghl.conversations.upload(location, contact, {
      fileName: 'film.mp4',
      mimeType: 'video/mp4',
      sizeBytes: 4_000_000,
      bytes: Readable.from(pieces(4_000_000), { objectMode: false }),
    })
    await expect(sending).rejects.toMatchObject({ code: 'MEDIA_TOO_LARGE', disposition: 'dead' })
  })
})

function* pieces(bytes: number): Generator<Buffer> {
  const piece = Buffer.alloc(64 * 1024)
  for (let sent = 0; sent < bytes; sent += piece.length) yield piece.subarray(0, bytes - sent)
}
