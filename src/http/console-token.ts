/** The operator's key against a short token, so that the console never keeps the key. It ends with API_KEY. */
import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { type ConsoleTokens, digest } from './auth.ts'
import { createClaimSigner } from './signed-claims.ts'

/** As long as a look at the console takes; then the key is asked for again. */
const CONSOLE_TOKEN_TTL_MS = 60 * 60_000

/** Milliseconds since the epoch. */
const Claims = z.object({ until: z.number() })

/** @param encryptionKeys base64 of 32 bytes each: the first signs, all verify. */
export function createConsoleTokens(encryptionKeys: readonly string[], apiKey: string): ConsoleTokens {
  const signer = createClaimSigner({
    prefix: 'console.',
    info: 'console-token',
    encryptionKeys,
    salt: apiKey,
  })
  const expected = digest(apiKey)
  return {
    issue(given) {
      if (!timingSafeEqual(digest(given), expected)) return undefined
      const until = Date.now() + CONSOLE_TOKEN_TTL_MS
      return { token: signer.sign({ until }), expiresAt: new Date(until) }
    },
    read(token) {
      const signed = signer.read(token)
      if (signed === undefined) return undefined
      // Signed by us, so it is what `issue` wrote.
      const { until } = Claims.parse(signed)
      return until > Date.now() ? { kind: 'operator', expiresAt: new Date(until) } : 'over'
    },
  }
}
