/**
 * Server-sent events over fetch: unlike EventSource it can show a bearer, and says why it was refused. Comes back by
 * itself after a drop; the server's first event after that is the whole state again.
 */
import { createParser } from 'eventsource-parser'

/** The server sends a heartbeat twice in this time: a stream that is silent longer is dead. */
const SILENCE_MS = 65_000
const FIRST_WAIT_MS = 400
const LONGEST_WAIT_MS = 5_000

export type Link = 'opening' | 'live' | 'lost'

export interface Followed {
  /** Asked before every attempt, so that a renewed bearer is shown. */
  headers?(): Promise<Record<string, string>>
  onEvent(event: string, data: unknown): void
  onLink?(link: Link): void
  /** The server does not want to be asked again: expired, unknown, not allowed. */
  onRefused(status: number): void
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
  let failures = 0
  const onOpen = () => {
    failures = 0
    followed.onLink?.('live')
  }
  const isOver = (): boolean => signal.aborted
  followed.onLink?.('opening')
  while (!isOver()) {
    const refusal = await attempt(url, followed, onOpen, signal).catch(() => undefined)
    if (isOver()) return
    if (refusal !== undefined) {
      followed.onRefused(refusal)
      return
    }
    followed.onLink?.('lost')
    await pause(Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures), signal)
    failures += 1
  }
}

/** One connection, to its end. A number is the status of a refusal. */
async function attempt(
  url: string,
  followed: Followed,
  onOpen: () => void,
  signal: AbortSignal,
): Promise<number | undefined> {
  const connection = new AbortController()
  const end = () => {
    connection.abort()
  }
  signal.addEventListener('abort', end, { once: true })
  let silence = setTimeout(end, SILENCE_MS)
  try {
    const headers = { accept: 'text/event-stream', ...(await followed.headers?.()) }
    const answer = await fetch(url, { headers, signal: connection.signal, cache: 'no-store' })
    if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) return answer.status
    if (!answer.ok || answer.body === null) return undefined
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

/** Ends early when the network is back or somebody looks at the page again. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer)
      removeEventListener('online', over)
      document.removeEventListener('visibilitychange', looked)
      signal.removeEventListener('abort', over)
      resolve()
    }
    const looked = () => {
      if (document.visibilityState === 'visible') over()
    }
    const timer = setTimeout(over, ms * (0.75 + Math.random() / 2))
    addEventListener('online', over)
    document.addEventListener('visibilitychange', looked)
    signal.addEventListener('abort', over)
  })
}
