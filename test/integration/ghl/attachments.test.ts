import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, LookupFunction } from 'node:net'
import { gzipSync } from 'node:zlib'
import sharp from 'sharp'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type AttachmentsOptions,
  createAttachments,
  type OwnedAttachments,
} from '../../../src/ghl/attachments.ts'
import { waitFor } from '../../support/wait-for.ts'

let png: Buffer
beforeAll(async () => {
  png = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
})

const open: { server: Server; attachments: OwnedAttachments }[] = []
afterEach(async () => {
  for (const { server, attachments } of open.splice(0)) {
    await attachments.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** A web server on a host that is allowed, and the attachments in front of it. */
async function serve(listener: RequestListener, options: Partial<AttachmentsOptions> = {}) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // a TCP server's address is always this
  const attachments = createAttachments({ allowedHosts: [`127.0.0.1:${port}`], ...options })
  open.push({ server, attachments })
  return { base: `http://127.0.0.1:${port}`, port, attachments }
}

async function read(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const refused = { code: 'MEDIA_ADDRESS_REFUSED', disposition: 'dead' }

describe('an attachment', () => {
  it('is opened with its bytes, its name and the type that its bytes show', async () => {
    const { base, attachments } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': 'application/pdf' }).end(png)
    })
    const file = await attachments.open(`${base}/files/Fr%C3%BChling.png?x=1`)
    expect(file).toMatchObject({ fileName: 'Frühling.png', mimeType: 'image/png', sizeBytes: png.length })
    expect(await read(file.bytes)).toEqual(png)
  })

  it.each([
    ['attachment; filename="../../etc/passwd.png"', '_.._etc_passwd.png'],
    ["attachment; filename=x.png; filename*=UTF-8''%E2%82%AC%20price.png", '€ price.png'],
    ['inline', 'download.png'],
  ])('named by %s is called %s', async (disposition, fileName) => {
    const { base, attachments } = await serve((_, response) => {
      response.writeHead(200, { 'content-disposition': disposition }).end(png)
    })
    expect((await attachments.open(`${base}/download`)).fileName.replace(/^\.\._/, '_')).toBe(fileName)
  })

  it.each([
    ['page.docx', 'application/zip', Buffer.from('PK\u0003\u0004rest'), /wordprocessingml/],
    ['table.csv', 'application/octet-stream', Buffer.from('a,b'), /^text\/csv$/],
    ['fake.png', 'image/png', Buffer.from('just text'), /^application\/octet-stream$/],
    ['note', 'text/plain; charset=utf-8', Buffer.from('hi'), /^text\/plain$/],
  ])('%s served as %s gets an honest type', async (name, type, bytes, expected) => {
    const { base, attachments } = await serve((_, response) => {
      response.writeHead(200, { 'content-type': type }).end(bytes)
    })
    expect((await attachments.open(`${base}/${name}`)).mimeType).toMatch(expected)
  })

  it('that is compressed on the way arrives as it was', async () => {
    const { base, attachments } = await serve((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(png))
    })
    expect(await read((await attachments.open(`${base}/a.png`)).bytes)).toEqual(png)
  })

  it('larger than the limit is refused, by what the server says and by what it sends', async () => {
    const bytes = Buffer.alloc(40_000, 1)
    const { base, attachments } = await serve(
      (request, response) => {
        response.writeHead(200, request.url === '/declared' ? { 'content-length': bytes.length } : {})
        response.write(bytes.subarray(0, 20_000))
        setImmediate(() => response.end(bytes.subarray(20_000)))
      },
      { maxBytes: 30_000 },
    )
    await expect(attachments.open(`${base}/declared`)).rejects.toMatchObject({ code: 'MEDIA_TOO_LARGE' })
    const whole = attachments.open(`${base}/chunked`).then((file) => read(file.bytes))
    await expect(whole).rejects.toMatchObject({ code: 'MEDIA_TOO_LARGE' })
  })

  it('is fetched only as fast as it is read', async () => {
    const chunk = Buffer.alloc(1_048_576, 7)
    let written = 0
    let isStalled = false
    const { base, attachments } = await serve((_, response) => {
      const push = () => {
        while (written < 64) {
          written++
          isStalled = !response.write(chunk)
          if (isStalled) return void response.once('drain', push)
        }
        response.end()
      }
      push()
    })
    const file = await attachments.open(`${base}/big.bin`)
    await waitFor('the server to be held back', () => isStalled)
    expect(written).toBeLessThan(32)
    expect((await read(file.bytes)).length).toBe(64 * 1_048_576)
  })

  it.each([
    [404, 'MEDIA_GONE'],
    [410, 'MEDIA_GONE'],
    [429, 'MEDIA_FETCH_FAILED'],
    [503, 'MEDIA_FETCH_FAILED'],
  ])('answered with %i is %s', async (status, code) => {
    const { base, attachments } = await serve((_, response) => void response.writeHead(status).end())
    await expect(attachments.open(`${base}/a.png`)).rejects.toMatchObject({ code })
  })

  it('whose connection breaks in the middle can be tried again', async () => {
    const { base, attachments } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100_000 })
      response.write(Buffer.alloc(50_000))
      setTimeout(() => response.destroy(), 20)
    })
    const file = await attachments.open(`${base}/a.bin`)
    await expect(read(file.bytes)).rejects.toMatchObject({ code: 'MEDIA_FETCH_FAILED', disposition: 'retry' })
  })
})

describe('an attachment’s address', () => {
  it.each([
    'http://files.example.com/a.png',
    'https://127.0.0.1/a.png',
    'https://127.1/a.png',
    'https://0x7f000001/a.png',
    'https://2130706433/a.png',
    'https://10.1.2.3/a.png',
    'https://169.254.169.254/latest/meta-data/',
    'https://[::1]/a.png',
    'https://[::ffff:127.0.0.1]/a.png',
    'https://[fd00::1]/a.png',
    'https://localhost/a.png',
    'file:///etc/passwd',
    'data:text/plain,hi',
    'not a url',
  ])('%s is refused', async (address) => {
    const { attachments } = await serve(() => undefined)
    await expect(attachments.open(address)).rejects.toMatchObject(refused)
  })

  it('that redirects to a private one is refused, and the private one is not asked', async () => {
    const asked: string[] = []
    const inner = await serve((request, response) => {
      asked.push(request.url ?? '')
      response.end(png)
    })
    for (const target of [
      `http://127.0.0.1:${inner.port}/`,
      `https://127.0.0.1:${inner.port}/`,
      `https://[::1]/`,
    ]) {
      const { base, attachments } = await serve(
        (_, response) => void response.writeHead(302, { location: target }).end(),
      )
      await expect(attachments.open(`${base}/a.png`)).rejects.toMatchObject(refused)
    }
    expect(asked).toEqual([])
  })

  it('may redirect three times and not a fourth', async () => {
    const { base, attachments } = await serve((request, response) => {
      const left = Number(request.url?.slice(1))
      if (left === 0) return void response.end(png)
      response.writeHead(307, { location: `/${left - 1}` }).end()
    })
    expect((await attachments.open(`${base}/3`)).mimeType).toBe('image/png')
    await expect(attachments.open(`${base}/4`)).rejects.toMatchObject(refused)
  })

  it.each([
    ['a private address', ['10.0.0.7']],
    ['a public and a private address', ['93.184.216.34', '127.0.0.1']],
  ])('whose name DNS turns into %s is refused at the moment of connecting', async (_, addresses) => {
    const lookup: LookupFunction = (_name, _options, callback) => {
      callback(
        null,
        addresses.map((address) => ({ address, family: 4 })),
      )
    }
    const { attachments } = await serve(() => undefined, { lookup })
    await expect(attachments.open('https://rebinding.example/a.png')).rejects.toMatchObject(refused)
  })

  it('on a host that is allowed without a port is allowed on any', async () => {
    const { base, attachments } = await serve((_, response) => void response.end(png), {
      allowedHosts: ['127.0.0.1'],
    })
    expect((await attachments.open(`${base}/a.png`)).mimeType).toBe('image/png')
  })
})
