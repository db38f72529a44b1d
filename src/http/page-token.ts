/**
 * The short token of a page inside GHL: who it is and until when, signed. It is revoked for all by changing ENCRYPTION_KEY or
 * GHL_SHARED_SECRET. Not encrypted: it holds no secret.
 */
import { z } from 'zod'
import { parseLocationId } from '../core/ids.ts'
import type { PageTokens } from './auth.ts'
import { createClaimSigner } from './signed-claims.ts'

/** As long as a captured one should be of use; the page asks for the next one by itself. design.md 4. */
const PAGE_TOKEN_TTL_MS = 15 * 60_000

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
  const signer = createClaimSigner({
    prefix: 'page.',
    info: 'page-token',
    encryptionKeys,
    salt: sharedSecret ?? '',
  })
  return {
    issue({ locationId, role, userId }) {
      const until = Date.now() + PAGE_TOKEN_TTL_MS
      return { token: signer.sign({ locationId, role, userId, until }), expiresAt: new Date(until) }
    },
    read(token) {
      const signed = signer.read(token)
      if (signed === undefined) return undefined
      // Signed by us, so it is what `issue` wrote.
      const { until, ...caller } = Claims.parse(signed)
      return until > Date.now() ? { kind: 'page', ...caller, expiresAt: new Date(until) } : 'over'
    },
  }
}
