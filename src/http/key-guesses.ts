/** Slows down whoever guesses the operator's key: a few slips are free, then each wrong one costs a longer wait. */
import { normalizeIP } from '@fastify/rate-limit'
import { LRUCache } from 'lru-cache'
import { RequestError } from '../core/errors.ts'

const FREE = 5
const FIRST_WAIT_MS = 1_000
/** Short, as behind a proxy all people have one address, the operator too. */
const LONGEST_WAIT_MS = 30_000
const FORGOTTEN_AFTER_MS = 15 * 60_000
const MOST_ADDRESSES = 10_000

interface Guesses {
  readonly wrong: number
  readonly untilMs: number
}

export interface KeyGuesses {
  /** @throws {RequestError} `TOO_MANY_REQUESTS` while the address has to wait. */
  check(ip: string): void
  wrong(ip: string): void
  right(ip: string): void
}

export function createKeyGuesses(nowMs: () => number = Date.now): KeyGuesses {
  const known = new LRUCache<string, Guesses>({ max: MOST_ADDRESSES, ttl: FORGOTTEN_AFTER_MS })
  return {
    check(ip) {
      const waitMs = (known.get(normalizeIP(ip))?.untilMs ?? 0) - nowMs()
      if (waitMs <= 0) return
      throw new RequestError('TOO_MANY_REQUESTS', 'Too many wrong keys came from this address', {
        action: `Try again in ${Math.ceil(waitMs / 1_000)} seconds.`,
        retryAfterMs: waitMs,
      })
    },
    wrong(ip) {
      const address = normalizeIP(ip)
      const wrong = (known.get(address)?.wrong ?? 0) + 1
      const waitMs =
        wrong < FREE ? 0 : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(wrong - FREE, 10))
      known.set(address, { wrong, untilMs: nowMs() + waitMs })
    },
    right(ip) {
      known.delete(normalizeIP(ip))
    },
  }
}
