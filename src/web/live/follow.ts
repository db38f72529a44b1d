/**
 * Server-sent events over fetch: unlike EventSource it can show a bearer, and says why it was refused. Comes back by
 * itself after a drop; the server's first event after that is the whole state again.
 */
import { createParser } from 'eventsource-parser'
import type { Login } from '../api/client.ts'
import { type Failure, failureOf } from '../api/failure.ts'

/** The server sends a heartbeat twice in this time: a stream that is silent longer is dead. */
const SILENCE_MS = 65_000
const FIRST_WAIT_MS = 400
const LONGEST_WAIT_MS = 5_000
/** The server ends each stream with the right to it, and is asked for the next: so long a gap nobody hears of. */
const LOST_AFTER_MS = 1_500
/** A page that nobody sees gives its connection back: over HTTP/1.1 a browser has six for all its tabs. */
const UNSEEN_MS = 30_000

/** `lost`: an attempt has failed, or there has been no connection for longer than it takes to open the next. */
export type Link = 'opening' | 'live' | 'lost'

export interface Followed {
  /** Asked for its bearer before every attempt, and for another when that was refused. Without it a 401 is a refusal. */
  readonly login?: Login
  onEvent(event: string, data: unknown): void
  onLink?(link: Link): void
  /** The server itself, in its own words, does not want to be asked again: expired, unknown, not allowed. */
  onRefused(refusal: Failure): void
}

/** Follows `url` until the returned function is called. */
export function follow(url: string, followed: Followed): () => void {
  const life = new AbortController()
  void run(url, followed, life.signal)
  return () => {
    life.abort()
  }
}

async function run(url: string, followed: Followed, signal: AbortSignal): Promise<void> {
  /** In a row; 0: the last attempt came through, for a while. */
  let failures = 0
  let losing: ReturnType<typeof setTimeout> | undefined
  const keep = () => {
    clearTimeout(losing)
  }
  const lose = () => {
    followed.onLink?.('lost')
  }
  const onOpen = () => {
    keep()
    failures = 0
    followed.onLink?.('live')
  }
  const isOver = (): boolean => signal.aborted
  signal.addEventListener('abort', keep, { once: true })
  followed.onLink?.('opening')
  if (isUnseen()) await pause(undefined, signal)
  while (!isOver()) {
    failures += 1
    const refusal = await attempt(url, followed, onOpen, signal).catch(() => undefined)
    if (isOver()) return
    if (refusal !== undefined) {
      keep()
      followed.onRefused(refusal)
      return
    }
    const wasUnseen = isUnseen()
    if (wasUnseen) await pause(undefined, signal)
    if (isOver()) return
    if (failures === 0 || wasUnseen) {
      keep()
      losing = setTimeout(lose, LOST_AFTER_MS)
    } else lose()
    if (!wasUnseen) await pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures), signal)
  }
}

const isUnseen = (): boolean => document.visibilityState !== 'visible'

/** Calls back when nobody has seen the page for {@link UNSEEN_MS}, until the returned function is called. */
function whenUnseen(act: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = () => {
    clearTimeout(timer)
    if (isUnseen()) timer = setTimeout(act, UNSEEN_MS)
  }
  look()
  document.addEventListener('visibilitychange', look)
  return () => {
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', look)
  }
}

/** What stands between us and the server answers 403, 404 or 408 too, but not in our words; 429 is over in a minute. */
const isFinal = ({ status, code }: Failure): boolean =>
  status < 500 && status !== 429 && (code !== 'UNREACHABLE' || status === 410)

/** One connection, to its end. @returns the server's refusal, if there was one. */
async function attempt(
  url: string,
  followed: Followed,
  onOpen: () => void,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const connection = new AbortController()
  const end = () => {
    connection.abort()
  }
  signal.addEventListener('abort', end, { once: true })
  let silence = setTimeout(end, SILENCE_MS)
  const unwatch = whenUnseen(end)
  try {
    const bearer = await followed.login?.bearer()
    const authorization = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
    const headers = { accept: 'text/event-stream', ...authorization }
    const answer = await fetch(url, { headers, signal: connection.signal, cache: 'no-store' })
    if (!answer.ok || answer.body === null) {
      const refusal = failureOf(answer.status, await answer.json().catch(() => undefined))
      if (refusal.status !== 401 || bearer === undefined) return isFinal(refusal) ? refusal : undefined
      await followed.login?.renew(bearer)
      return undefined
    }
    onOpen()
    const parser = createParser({
      onEvent: ({ event, data }) => {
        followed.onEvent(event ?? 'message', JSON.parse(data))
      },
    })
    for await (const text of textOf(answer.body)) {
      clearTimeout(silence)
      silence = setTimeout(end, SILENCE_MS)
      parser.feed(text)
    }
    return undefined
  } finally {
    clearTimeout(silence)
    unwatch()
    signal.removeEventListener('abort', end)
    connection.abort()
  }
}

/** Safari cannot iterate over a stream. */
async function* textOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield decoder.decode(value, { stream: true })
  }
}

/**
 * Ends early when the network is back or somebody looks at the page again.
 *
 * @param ms undefined: until somebody looks.
 */
function pause(ms: number | undefined, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer)
      removeEventListener('online', over)
      document.removeEventListener('visibilitychange', looked)
      signal.removeEventListener('abort', over)
      resolve()
    }
    const looked = () => {
      if (!isUnseen()) over()
    }
    const timer = ms === undefined ? undefined : setTimeout(over, ms * (0.75 + Math.random() / 2))
    if (ms !== undefined) addEventListener('online', over)
    document.addEventListener('visibilitychange', looked)
    signal.addEventListener('abort', over)
  })
}
