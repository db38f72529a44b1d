import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createWebhookVerifier } from '../../../src/ghl/webhook-signature.ts'

const pair = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    sign: (body: Uint8Array) => sign(null, body, privateKey).toString('base64'),
  }
}

const body = Buffer.from('{"type":"SMS",  "message":"héllo"}')
const ours = pair()
const stranger = pair()
const verify = createWebhookVerifier([ours.publicKey])

describe('the webhook verifier', () => {
  it('accepts a signature over the raw bytes', () => {
    expect(verify(body, { 'x-ghl-signature': ours.sign(body) })).toBe(true)
  })

  it('accepts the published GHL key as configuration', () => {
    expect(() =>
      createWebhookVerifier(['MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=']),
    ).not.toThrow()
  })

  it('accepts either of two keys, so that keys can be rotated', () => {
    const both = createWebhookVerifier([stranger.publicKey, ours.publicKey])
    expect(both(body, { 'x-ghl-signature': ours.sign(body) })).toBe(true)
    expect(both(body, { 'x-ghl-signature': stranger.sign(body) })).toBe(true)
  })

  it('refuses the same JSON with other bytes', () => {
    const reserialised = Buffer.from(JSON.stringify(JSON.parse(body.toString())))
    expect(verify(reserialised, { 'x-ghl-signature': ours.sign(body) })).toBe(false)
  })

  it.each([
    ['absent', undefined],
    ['N/A, which is GHL for absent', 'N/A'],
    ['empty', ''],
    ['not base64', '***'],
    ['of the wrong length', Buffer.from('short').toString('base64')],
    ['by a stranger', stranger.sign(body)],
  ])('refuses a signature that is %s', (_, signature) => {
    expect(verify(body, signature === undefined ? {} : { 'x-ghl-signature': signature })).toBe(false)
  })

  it('does not let a legacy RSA header rescue a bad signature', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const legacy = sign('sha256', body, rsa.privateKey).toString('base64')
    const headers = { 'x-ghl-signature': stranger.sign(body), 'x-wh-signature': legacy }
    expect(verify(body, headers)).toBe(false)
    expect(verify(body, { 'x-wh-signature': legacy })).toBe(false)
  })

  it('names the variable when a configured key is none', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const wrong = rsa.publicKey.export({ format: 'der', type: 'spki' }).toString('base64')
    for (const key of ['nonsense', wrong])
      expect(() => createWebhookVerifier([key])).toThrow(/GHL_WEBHOOK_PUBLIC_KEY/)
  })
})
