import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { getMediaKeys } from '@whiskeysockets/baileys'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import type { WaMedia } from '../../../src/core/message.ts'
import { openMedia } from '../../../src/whatsapp/media.ts'

const DEPS = { askForMediaAgain: undefined, clock: systemClock }

async function sealed(plain: Buffer): Promise<{ media: WaMedia; body: Buffer }> {
  const mediaKey = randomBytes(32)
  const { cipherKey, iv, macKey } = await getMediaKeys(mediaKey, 'document')
  const cipher = createCipheriv('aes-256-cbc', cipherKey, iv)
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()])
  const mac = createHmac('sha256', macKey ?? '')
    .update(iv)
    .update(ciphertext)
    .digest()
    .subarray(0, 10)
  return {
    body: Buffer.concat([ciphertext, mac]),
    media: {
      mediaKind: 'document',
      mimeType: 'application/pdf',
      mediaKey: mediaKey.toString('base64'),
      directPath: '/v/x',
      sizeBytes: plain.length,
      sha256: createHash('sha256').update(plain).digest('base64'),
    },
  }
}

/** WhatsApp's host answers with these pieces; a function in their midst is thrown as the transfer's error. */
function hostAnswers(pieces: readonly (Buffer | Error)[], headers: Record<string, string> = {}): void {
  const left = [...pieces]
  const body = new ReadableStream({
    pull(controller) {
      const next = left.shift()
      if (next === undefined) controller.close()
      else if (next instanceof Error) controller.error(next)
      else controller.enqueue(new Uint8Array(next))
    },
  })
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { headers })))
}

describe('a customer’s file on its way', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  it.each([0, 1, 15, 16, 17, 100_000])(
    'of %i bytes arrives whole, however it is cut into pieces',
    async (sizeBytes) => {
      const plain = randomBytes(sizeBytes)
      const { media, body } = await sealed(plain)
      for (const pieceBytes of [7, 16, 4_096]) {
        const pieces = Array.from({ length: Math.ceil(body.length / pieceBytes) }, (_, index) =>
          body.subarray(index * pieceBytes, (index + 1) * pieceBytes),
        )
        hostAnswers(pieces, { 'content-length': String(body.length) })
        const file = await openMedia(media, DEPS)
        expect(file).toMatchObject({ fileName: 'document.pdf', ...(sizeBytes > 0 && { sizeBytes }) })
        expect(await buffer(file.bytes)).toEqual(plain)
      }
    },
  )

  it('that breaks off is an error to its reader, to be tried again', async () => {
    const { media, body } = await sealed(randomBytes(5_000))
    hostAnswers([body.subarray(0, 1_000), new Error('socket hang up')])
    const file = await openMedia(media, DEPS)
    await expect(buffer(file.bytes)).rejects.toMatchObject({
      code: 'MEDIA_FETCH_FAILED',
      disposition: 'retry',
    })
  })

  it('that ends too early, or was changed, is an error as well', async () => {
    const { media, body } = await sealed(randomBytes(5_000))
    const changed = Buffer.from(body)
    changed.writeUInt8(changed.readUInt8(40) ^ 1, 40)
    for (const wrong of [body.subarray(0, 2_000), changed, body.subarray(0, -1), Buffer.alloc(0)]) {
      hostAnswers([wrong])
      const file = await openMedia(media, DEPS)
      await expect(buffer(file.bytes)).rejects.toMatchObject({ code: 'MEDIA_FETCH_FAILED' })
    }
  })

  it('does not pass on a size that cannot be true', async () => {
    const { media, body } = await sealed(randomBytes(5_000))
    hostAnswers([body], { 'content-length': String(body.length) })
    expect(await openMedia({ ...media, sizeBytes: 9 }, DEPS)).not.toHaveProperty('sizeBytes')
  })
})
