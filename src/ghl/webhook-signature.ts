/**
 * Whether a webhook is GHL's: Ed25519 over the raw body, base64 in `X-GHL-Signature`. Fails closed: absent, malformed
 * and wrong are all the same `false`. The legacy `X-WH-Signature` (RSA) is not looked at: GHL no longer sends it, and a
 * second way in would only weaken the first.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { ConfigError } from '../core/errors.ts'

const SIGNATURE_BYTES = 64
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/

export type WebhookVerifier = (rawBody: Uint8Array, headers: IncomingHttpHeaders) => boolean

/**
 * @param publicKeys SPKI, base64. Several may be valid at a time, for rotation.
 * @throws {ConfigError} `CONFIG_INVALID` for a key that is none.
 */
export function createWebhookVerifier(publicKeys: readonly string[]): WebhookVerifier {
  const keys = publicKeys.map(parseKey)
  return (rawBody, headers) => {
    const signature = signatureIn(headers)
    return signature !== undefined && keys.some((key) => verify(null, rawBody, key, signature))
  }
}

function parseKey(publicKey: string): KeyObject {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' })
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // Said below, without the text of the crypto library.
  }
  throw new ConfigError('CONFIG_INVALID', 'GHL_WEBHOOK_PUBLIC_KEY must be Ed25519 public keys (SPKI, base64)')
}

function signatureIn(headers: IncomingHttpHeaders): Buffer | undefined {
  const header = headers['x-ghl-signature']
  // GHL writes `N/A` for absent.
  if (typeof header !== 'string' || header === 'N/A' || !BASE64.test(header)) return undefined
  const signature = Buffer.from(header, 'base64')
  return signature.length === SIGNATURE_BYTES ? signature : undefined
}
