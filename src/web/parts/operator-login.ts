/**
 * The operator's key against a token of an hour. Both live in this page's memory only: whoever reloads it shows the key again,
 * and a script that got into the browser's storage finds nothing. Calls that are refused meanwhile wait for the next key.
 */
import type { Login } from '../api/client.ts'
import { failureOf } from '../api/failure.ts'

/** Asked for again this long before its end, so that no call is refused. */
const MARGIN_MS = 30_000

export interface OperatorLogin extends Login {
  /** @throws {Failure} `CONSOLE_KEY_WRONG`, `TOO_MANY_REQUESTS`. */
  enter(apiKey: string): Promise<void>
}

interface Admission {
  readonly token: string
  /** Milliseconds from its receipt: this machine's clock may be an hour off. */
  readonly expiresInMs: number
}

/** @param ask shows the way in; called whenever a key is needed. */
export function createOperatorLogin(ask: (isNeeded: boolean) => void): OperatorLogin {
  let admission: Admission | undefined
  let admittedAtMs = Number.NEGATIVE_INFINITY
  let waiting: PromiseWithResolvers<void> | undefined
  const keyShown = async (): Promise<void> => {
    waiting ??= Promise.withResolvers()
    ask(true)
    await waiting.promise
  }
  return {
    bearer: async () => {
      const isOver = () => performance.now() - admittedAtMs > (admission?.expiresInMs ?? 0) - MARGIN_MS
      if (isOver()) await keyShown()
      return admission?.token ?? ''
    },
    // Refusals that were under way when the key came are of the token before.
    renew: async (refused) => {
      if (refused === admission?.token) await keyShown()
    },
    enter: async (apiKey) => {
      admission = await exchange(apiKey)
      admittedAtMs = performance.now()
      waiting?.resolve()
      waiting = undefined
      ask(false)
    },
  }
}

async function exchange(apiKey: string): Promise<Admission> {
  const answer = await fetch('/api/console/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apiKey }),
  })
  const body: unknown = await answer.json().catch(() => undefined)
  if (!answer.ok) throw failureOf(answer.status, body)
  return body as Admission // POST /api/console/session promises this shape
}
