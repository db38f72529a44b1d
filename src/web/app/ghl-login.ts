/** The way in from inside GHL: GHL tells our frame who is looking, our server answers with a short bearer. */
import type { Login } from '../api/client.ts'
import { failureOf } from '../api/failure.ts'

/** GHL answers at once or never (ghl.md 9). */
const ANSWER_MS = 6_000
const ASK_AGAIN_MS = 700
/** Renewed this long before its end, so that no call is refused. */
const MARGIN_MS = 90_000

export interface GhlVisit {
  readonly locationId: string
  readonly role: 'admin' | 'user'
  readonly login: Login
}

interface Admission {
  readonly token: string
  readonly expiresAt: string
  readonly locationId: string
  readonly role: 'admin' | 'user'
}

/** GHL did not say who is looking: the page is not inside GHL, or the app has no shared secret there. */
export class NotInGhl extends Error {
  override readonly name = 'NotInGhl'
}

/** @throws {NotInGhl} @throws {Failure} `SSO_REFUSED` and whatever the server says. */
export async function visitFromGhl(): Promise<GhlVisit> {
  let admission = await admit()
  let renewing: Promise<void> | undefined
  const renew = async (refused: string): Promise<void> => {
    if (refused !== admission.token) return
    renewing ??= admit()
      .then((next) => {
        admission = next
      })
      .finally(() => {
        renewing = undefined
      })
    await renewing
  }
  const login: Login = {
    bearer: async () => {
      if (Date.parse(admission.expiresAt) - Date.now() < MARGIN_MS) await renew(admission.token)
      return admission.token
    },
    renew,
  }
  return { locationId: admission.locationId, role: admission.role, login }
}

async function admit(): Promise<Admission> {
  const answer = await fetch('/api/sso', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ payload: await askGhl() }),
  })
  const body: unknown = await answer.json().catch(() => undefined)
  if (!answer.ok) throw failureOf(answer.status, body)
  return body as Admission // POST /api/sso promises this shape
}

/** GHL's frame may be busy starting: it is asked a few times. The payload is sealed, so any window may hear the question. */
function askGhl(): Promise<string> {
  return new Promise((resolve, reject) => {
    if (window.parent === window) {
      reject(new NotInGhl('this page is not in a frame'))
      return
    }
    const ask = () => {
      window.parent.postMessage({ message: 'REQUEST_USER_DATA' }, '*')
    }
    const hear = ({ source, data }: MessageEvent<unknown>) => {
      const payload = source === window.parent ? payloadOf(data) : undefined
      if (payload === undefined) return
      stop()
      resolve(payload)
    }
    const asking = setInterval(ask, ASK_AGAIN_MS)
    const giveUp = setTimeout(() => {
      stop()
      reject(new NotInGhl('GHL did not answer'))
    }, ANSWER_MS)
    const stop = () => {
      clearInterval(asking)
      clearTimeout(giveUp)
      removeEventListener('message', hear)
    }
    addEventListener('message', hear)
    ask()
  })
}

function payloadOf(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || !('message' in data) || !('payload' in data))
    return undefined
  return data.message === 'REQUEST_USER_DATA_RESPONSE' && typeof data.payload === 'string'
    ? data.payload
    : undefined
}
