/**
 * Slows down whoever tries bearers that nobody has: an address has so many wrong ones a minute and node, and beyond that no
 * bearer of it is looked at, but for those that were good from there lately. So an agency's backends go on behind one address
 * with a guesser, and from anywhere else even a right guess is not let in while the guesses are too many.
 */
import { hash } from 'node:crypto'
import { normalizeIP } from '@fastify/rate-limit'
import { LRUCache } from 'lru-cache'
import { RequestError } from '../core/errors.ts'

const WINDOW_MS = 60_000
/** Many times what old keys and slips of a whole office come to; a key of 16 characters is out of reach at that rate. */
const FREE = 60
/** So that what is called once a night is still known. */
const REMEMBERED_MS = 36 * 60 * 60_000
const MOST_REMEMBERED = 10_000
const MOST_ADDRESSES = 10_000

interface Account {
  wrong: number
  /** Of the wrong ones' minute. */
  endsAtMs: number
  /** Bearers that are being looked up: each may turn out wrong. */
  pending: number
  /** Resolves when the next of them is known. */
  next: PromiseWithResolvers<void>
}

export interface BearerGuesses {
  /**
   * What `find` says of the bearer.
   *
   * @throws {RequestError} `TOO_MANY_REQUESTS`, without asking, when the address has spent its allowance.
   */
  identify<T>(ip: string, bearer: string, find: () => Promise<T | undefined>): Promise<T | undefined>
}

export function createBearerGuesses(): BearerGuesses {
  const good = new LRUCache<string, true>({ max: MOST_REMEMBERED, ttl: REMEMBERED_MS })
  const accounts = new LRUCache<string, Account>({ max: MOST_ADDRESSES })

  const accountOf = (address: string): Account => {
    const known = accounts.get(address)
    if (known !== undefined) return known
    const opened = { wrong: 0, endsAtMs: 0, pending: 0, next: Promise.withResolvers<void>() }
    accounts.set(address, opened)
    return opened
  }
  const wrongOf = (account: Account): number => {
    if (account.endsAtMs <= Date.now()) Object.assign(account, { wrong: 0, endsAtMs: Date.now() + WINDOW_MS })
    return account.wrong
  }
  /** Resolves when this one may turn out wrong as well: good ones that come all at once wait for each other. */
  const takePlace = async (account: Account): Promise<void> => {
    while (wrongOf(account) + account.pending >= FREE) {
      if (account.wrong >= FREE) throw tooMany(account.endsAtMs - Date.now())
      await account.next.promise
    }
    account.pending += 1
  }

  return {
    async identify(ip, bearer, find) {
      const address = normalizeIP(ip)
      const shown = `${address} ${hash('sha256', bearer, 'base64url')}`
      const account = accountOf(address)
      const isKnown = good.has(shown)
      if (!isKnown) await takePlace(account)
      try {
        const found = await find()
        if (found !== undefined) good.set(shown, true)
        else {
          good.delete(shown)
          account.wrong = wrongOf(account) + 1
        }
        return found
      } finally {
        if (!isKnown) {
          account.pending -= 1
          account.next.resolve()
          account.next = Promise.withResolvers()
        }
      }
    },
  }
}

const tooMany = (waitMs: number): RequestError =>
  new RequestError('TOO_MANY_REQUESTS', 'Too many wrong keys came from this address', {
    action: `Try again in ${Math.ceil(waitMs / 1_000)} seconds.`,
    retryAfterMs: waitMs,
  })
