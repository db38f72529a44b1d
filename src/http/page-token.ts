/**
 * The short token of a page inside GHL: who it is and until when, signed. Nothing of it is kept on the server, so every node
 * accepts it; it is revoked for all by changing ENCRYPTION_KEY or GHL_SHARED_SECRET. Not encrypted: it holds no secret.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { parseLocationId } from '../core/ids.ts'
import type { PageTokens } from './auth.ts'

/** As long as a captured one should be of use; the page asks for the next one by itself. design.md 4. */
const PAGE_TOKEN_TTL_MS = 15 * 60_000
const PREFIX = 'page.'

const Claims = z.object({
  locationId: z.string().transform(parseLocationId),
  role: z.enum(['admin', 'user']),
  userId: z.string(),
  /** Milliseconds since the epoch. */
  until: z.number(),
})

/**
 * @param encryptionKeys base64 of 32 bytes each: the first signs, all verify.
 * @param sharedSecret GHL_SHARED_SECRET; part of the key, so that tokens end with it.
 */
export function createPageTokens(
  encryptionKeys: readonly string[],
  sharedSecret: string | undefined,
): PageTokens {
  const keys = encryptionKeys.map((key) =>
    Buffer.from(
      hkdfSync(
        'sha256',
        Buffer.from(key, 'base64'),
        sharedSecret ?? '',
        'ghl-whatsapp-bridge/page-token',
        32,
      ),
    ),
  )
  const [signing] = keys
  if (signing === undefined) throw new TypeError('encryptionKeys must not be empty')
  const macOf = (key: Buffer, claims: string): Buffer => createHmac('sha256', key).update(claims).digest()

  return {
    issue({ locationId, role, userId }) {
      const until = Date.now() + PAGE_TOKEN_TTL_MS
      const claims = Buffer.from(JSON.stringify({ locationId, role, userId, until })).toString('base64url')
      const token = `${PREFIX}${claims}.${macOf(signing, claims).toString('base64url')}`
      return { token, expiresAt: new Date(until) }
    },
    read(token) {
      const [claims = '', mac = ''] = token.startsWith(PREFIX) ? token.slice(PREFIX.length).split('.') : []
      const given = Buffer.from(mac, 'base64url')
      const isOurs = keys.some((key) => {
        const expected = macOf(key, claims)
        return given.length === expected.length && timingSafeEqual(given, expected)
      })
      if (!isOurs) return undefined
      // Signed by us, so it is what `issue` wrote.
      const { until, ...caller } = Claims.parse(JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')))
      return until > Date.now() ? { kind: 'page', ...caller, expiresAt: new Date(until) } : undefined
    },
  }
}
