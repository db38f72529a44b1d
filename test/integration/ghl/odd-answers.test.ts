import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import busboy from 'busboy'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { parseGhlContactId, parseLocationId, parseWaMessageId } from '../../../src/core/ids.ts'
import { createGhl, type Ghl } from '../../../src/ghl/ghl.ts'
import { createMemoryInstallations } from '../../support/memory-installations.ts'
import { silent } from './bench.ts'

const locationId = parseLocationId('loc')
const contact = parseGhlContactId('contact')

const open: { server: Server; ghl: Ghl }[] = []
afterEach(async () => {
  for (const { server, ghl } of open.splice(0)) {
    await ghl.close()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** GHL as it has been reported to answer now and then, which the strict sandbox never does. */
async function answering(
  answer: (request: IncomingMessage) => Promise<[number, string]> | [number, string],
  headers: Readonly<Record<string, string>> = {},
): Promise<Ghl> {
  const server = createServer((request, response) => {
    void Promise.resolve(answer(request)).then(([status, body]) => {
      request.resume()
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // a TCP server's address is always this
  const installations = createMemoryInstallations()
  await installations.save({
    locationId,
    companyId: undefined,
    userType: 'Location',
    scopes: '',
    tokens: { accessToken: 'a', refreshToken: 'r', expiresAt: new Date(Date.now() + 3_600_000) },
  })
  const ghl = createGhl({
    config: {
      apiUrl: `http://127.0.0.1:${port}`,
      marketplaceUrl: 'https://marketplace.example',
      clientId: 'id',
      clientSecret: 'secret',
      sharedSecret: undefined,
      redirectUri: 'https://bridge.example/oauth/callback',
      appVersionId: undefined,
      providerId: 'provider',
      providerType: 'custom',
      webhookPublicKeys: [],
      timeoutMs: 5_000,
      attachmentAllowedHosts: [],
    },
    installations,
    log: silent,
    clock: systemClock,
  })
  open.push({ server, ghl })
  return ghl
}

const add = (ghl: Ghl) =>
  ghl.conversations.addInbound({
    locationId,
    ghlContactId: contact,
    direction: 'inbound',
    altId: parseWaMessageId('W'),
    text: 'hello',
    attachments: [],
  })

describe('an answer of GHL', () => {
  it.each([
    ['an empty object', '{}'],
    ['nothing', ''],
    ['HTML', '<html>'],
    ['the conversation alone', '{"conversationId":"c"}'],
  ])('201 with %s is not taken for a stored message', async (_, body) => {
    const ghl = await answering(() => [201, body])
    await expect(add(ghl)).rejects.toMatchObject({ code: 'GHL_RESPONSE_INVALID', disposition: 'dead' })
  })

  it('201 without the conversation is a stored message all the same, and says where when that is known', async () => {
    const ghl = await answering(({ url = '' }) =>
      url.includes('/search') ? [200, '{"conversations":[{"id":"c"}]}'] : [201, '{"messageId":"m"}'],
    )
    expect(await add(ghl)).toEqual({ ghlMessageId: 'm', ghlConversationId: 'c' })
  })

  it('201 without the conversation, which no search finds, has it looked up before it is added again', async () => {
    const ghl = await answering(({ url = '' }) =>
      url.includes('/search') ? [500, '{}'] : [201, '{"messageId":"m"}'],
    )
    await expect(add(ghl)).rejects.toMatchObject({ disposition: 'retry', certainty: 'unknown' })
  })

  it.each([
    ['nested', { messages: { messages: [{ id: 'm', altId: 'W' }], nextPage: false } }],
    ['flat', { messages: [{ id: 'm', altId: 'W' }] }],
  ])('with %s messages is read', async (_, messages) => {
    const ghl = await answering(({ url = '' }) => [
      200,
      JSON.stringify(url.includes('/search') ? { conversations: [{ id: 'c' }] } : messages),
    ])
    const id = parseWaMessageId('W')
    expect(await ghl.conversations.findByAltId(locationId, contact, id, new Date())).toEqual({
      ghlMessageId: 'm',
      ghlConversationId: 'c',
    })
  })

  it('of 502 to an added message is of unknown fate and not repeated', async () => {
    let calls = 0
    const ghl = await answering(() => {
      calls++
      return [502, '<html>Bad Gateway</html>']
    })
    await expect(add(ghl)).rejects.toMatchObject({ code: 'GHL_UNAVAILABLE', certainty: 'unknown' })
    expect(calls).toBe(1)
  })
})

it('an error of GHL’s is repeated by the outbox’s patience, not by the limit’s interval', async () => {
  const ghl = await answering(() => [500, '{}'], { 'x-ratelimit-interval-milliseconds': '10000' })
  await expect(add(ghl)).rejects.toMatchObject({ code: 'GHL_UNAVAILABLE', retryAfterMs: undefined })
})

describe('a file that the conversation upload does not take', () => {
  const upload = (ghl: Ghl, fileName: string, mimeType: string, sizeBytes?: number) => {
    async function* bytes() {
      yield Buffer.from('0123456789')
    }
    const file = { fileName, mimeType, bytes: bytes(), ...(sizeBytes !== undefined && { sizeBytes }) }
    return ghl.conversations.upload(locationId, contact, file)
  }

  it.each([
    ['for its type', 'clip.mov', 'video/quicktime', undefined],
    ['for its size', 'film.mp4', 'video/mp4', 40_000_000],
  ])('%s goes to the media library', async (_, fileName, mimeType, sizeBytes) => {
    const seen: string[] = []
    const ghl = await answering(
      (request) =>
        new Promise((resolve) => {
          seen.push(request.url ?? '')
          const parser = busboy({ headers: request.headers })
          parser.on('file', (part, stream, info) => {
            seen.push(part, (info.filename ?? '').replace(/-[\da-f]{8}/, ''))
            stream.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
          })
          parser.on('close', () => resolve([200, '{"fileId":"f","url":"https://files.example/f"}']))
          request.pipe(parser)
        }),
    )
    expect(await upload(ghl, fileName, mimeType, sizeBytes)).toBe('https://files.example/f')
    expect(seen).toEqual(['/medias/upload-file', 'file', fileName, '0123456789'])
  })

  it('and the library neither is refused by its type', async () => {
    const ghl = await answering(() => [415, '{"status":415,"message":"not supported"}'])
    await expect(upload(ghl, 'x.bin', 'application/x-thing')).rejects.toMatchObject({
      code: 'MEDIA_TYPE_UNSUPPORTED',
    })
  })
})
