/** Who is calling. Comparison by digest, so that its time says nothing about the key. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { RequestError } from '../core/errors.ts'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** A hook that lets only the operator pass. */
export function operatorOnly(apiKey: string): (request: FastifyRequest) => Promise<void> {
  const expected = digest(apiKey)
  return (request) => {
    const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (given !== undefined && timingSafeEqual(digest(given), expected)) return Promise.resolve()
    return Promise.reject(
      new RequestError('UNAUTHENTICATED', 'This needs the operator’s key', {
        action: 'Send it as "Authorization: Bearer <API_KEY>".',
      }),
    )
  }
}
