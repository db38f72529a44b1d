import { randomBytes } from 'node:crypto'
import { Curve, proto } from '@whiskeysockets/baileys'
import { expect, it, vi } from 'vitest'
import { issueNoiseIdentity } from '../../sandbox/whatsapp/certificates.ts'
import { decryptMedia, encryptMedia } from '../../sandbox/whatsapp/media-crypto.ts'
import { redactSignalConsole } from '../../sandbox/whatsapp/signal-console.ts'
import { verifyXeddsa } from '../../sandbox/whatsapp/xeddsa.ts'

it('accepts signatures of the right key over the right message, and no others', () => {
  for (let round = 0; round < 8; round += 1) {
    const pair = Curve.generateKeyPair()
    const message = randomBytes(40)
    const signature = Curve.sign(pair.private, message)
    expect(verifyXeddsa(pair.public, message, signature)).toBe(true)
    expect(verifyXeddsa(pair.public, randomBytes(40), signature)).toBe(false)
    expect(verifyXeddsa(Curve.generateKeyPair().public, message, signature)).toBe(false)
    expect(verifyXeddsa(pair.public, message, randomBytes(64))).toBe(false)
  }
})

it('issues a Noise chain that really leads from the root to the static key', () => {
  const { rootPublicKey, staticKey, chain } = issueNoiseIdentity()
  const { intermediate, leaf } = proto.CertChain.decode(chain)
  const Details = proto.CertChain.NoiseCertificate.Details
  const middle = Details.decode(intermediate?.details ?? Buffer.alloc(0))
  const end = Details.decode(leaf?.details ?? Buffer.alloc(0))
  const none = Buffer.alloc(0)
  expect(verifyXeddsa(rootPublicKey, intermediate?.details ?? none, intermediate?.signature ?? none)).toBe(
    true,
  )
  expect(verifyXeddsa(middle.key ?? none, leaf?.details ?? none, leaf?.signature ?? none)).toBe(true)
  expect([middle.issuerSerial, end.issuerSerial]).toEqual([0, middle.serial])
  expect(Buffer.from(end.key ?? none).equals(staticKey.public)).toBe(true)
})

it('refuses media that was changed on its way', async () => {
  const bytes = randomBytes(5000)
  const media = await encryptMedia(bytes, 'image')
  expect(await decryptMedia(media.body, media, 'image')).toEqual(bytes)
  const changed = Buffer.from(media.body)
  changed.writeUInt8(changed.readUInt8(10) ^ 1, 10)
  await expect(decryptMedia(changed, media, 'image')).rejects.toMatchObject({ code: 'MEDIA_CORRUPT' })
})

it('keeps Signal sessions off the console and everything else on it', () => {
  const target = globalThis.console
  const info = vi.spyOn(target, 'info').mockImplementation(() => undefined)
  redactSignalConsole()
  const session = { currentRatchet: { rootKey: 'secret' }, indexInfo: {} }
  target.info('Closing session:', session)
  target.info('a line of ours', session, 7)
  expect(info.mock.calls).toEqual([['a line of ours', '[Signal session]', 7]])
})
