/**
 * Posts from GHL to the app: provider deliveries to the Delivery URL and events to the webhook URL. Both are
 * signed over the raw body and repeated on anything but a 2xx, redirects and time-outs included. A repeat sends
 * the very same bytes. Order between posts is not promised, as with the real one.
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Settings } from './settings.ts'

export interface Attempt {
  readonly at: Date
  readonly durationMs: number
  /** HTTP status, or what went wrong before there was one. */
  readonly outcome: number | string
}

export interface Post {
  readonly target: 'delivery' | 'webhook'
  readonly url: string
  readonly locationId: string | undefined
  readonly messageId: string | undefined
  readonly eventType: string
  readonly webhookId: string
  readonly body: string
  readonly attempts: Attempt[]
  state: 'held' | 'under-way' | 'accepted' | 'given-up'
}

export interface PostOrder {
  target: Post['target']
  locationId: string | undefined
  messageId?: string | undefined
  payload: Record<string, unknown> & { type: string; webhookId: string }
  /** Called as the first attempt leaves. */
  onFirstAttempt?: () => void
}

export interface Deliveries {
  /** SPKI, base64: what an operator would set as the app's webhook key. */
  readonly publicKey: string
  /** Resolves when accepted or given up; at once when no URL is set. */
  post(order: PostOrder): Promise<void>
  posts(): readonly Post[]
  /** From now on posts wait... */
  hold(): void
  /** ...until they are let go, newest first if `reversed`. */
  release(options?: { reversed?: boolean }): void
  /** Signs bytes as GHL would, for a test that posts by itself. */
  sign(rawBody: string): string
  forget(): void
  stop(): Promise<void>
}

export function createDeliveries(settings: Settings, onChange: (post: Post) => void): Deliveries {
  const keys = generateKeyPairSync('ed25519')
  const strangerKeys = generateKeyPairSync('ed25519')
  const stopping = new AbortController()
  const underWay = new Set<Promise<void>>()
  let made: Post[] = []
  let held: (() => void)[] | undefined

  const gate = createGate(() => settings.parallelPosts)

  const send = async (post: Post, onFirstAttempt: (() => void) | undefined): Promise<void> => {
    const key = settings.signature === 'wrong' ? strangerKeys.privateKey : keys.privateKey
    const headers = headersFor(post.body, settings, key)
    for (let retry = 0; ; retry++) {
      await gate.enter()
      const attempt = attemptOnce(post, headers, settings, stopping.signal).finally(gate.leave)
      if (retry === 0) onFirstAttempt?.()
      const outcome = await attempt
      if (stopping.signal.aborted) return
      if (typeof outcome === 'number' && outcome >= 200 && outcome < 300) post.state = 'accepted'
      else if (retry >= settings.retry.maxRetries) post.state = 'given-up'
      onChange(post)
      if (post.state !== 'under-way') return
      await sleep(waitMs(retry, settings), undefined, { signal: stopping.signal })
    }
  }

  const start = async (order: PostOrder): Promise<void> => {
    const url = order.target === 'delivery' ? settings.deliveryUrl : settings.webhookUrl
    if (!url) return
    const post: Post = {
      target: order.target,
      url,
      locationId: order.locationId,
      messageId: order.messageId,
      eventType: order.payload.type,
      webhookId: order.payload.webhookId,
      body: JSON.stringify(order.payload),
      attempts: [],
      state: held ? 'held' : 'under-way',
    }
    made.push(post)
    onChange(post)
    const waiting = held
    if (waiting) await new Promise<void>((resolve) => waiting.push(resolve))
    if (stopping.signal.aborted) return
    post.state = 'under-way'
    const copies = Array.from(
      { length: order.target === 'delivery' ? settings.deliveryCopies : 1 },
      (_, copy) => send(post, copy === 0 ? order.onFirstAttempt : undefined),
    )
    await Promise.all(copies)
  }

  const release = ({ reversed = false } = {}): void => {
    const waiting = held ?? []
    held = undefined
    for (const letGo of reversed ? waiting.reverse() : waiting) letGo()
  }

  return {
    publicKey: keys.publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    post(order) {
      const work = start(order).catch((error: unknown) => {
        if (!stopping.signal.aborted) throw error
      })
      underWay.add(work)
      void work.finally(() => underWay.delete(work))
      return work
    },
    posts: () => made,
    hold: () => {
      held ??= []
    },
    release,
    sign: (rawBody) => sign(null, Buffer.from(rawBody), keys.privateKey).toString('base64'),
    forget: () => {
      made = []
    },
    async stop() {
      stopping.abort()
      release()
      await Promise.allSettled(underWay)
    },
  }
}

interface Gate {
  /** Resolves when there is room, in the order of asking. */
  enter(): Promise<void>
  leave(): void
}

function createGate(capacity: () => number): Gate {
  const waiting: (() => void)[] = []
  let inside = 0
  return {
    async enter() {
      if (inside >= capacity()) await new Promise<void>((resolve) => waiting.push(resolve))
      inside++
    },
    leave() {
      inside--
      waiting.shift()?.()
    },
  }
}

async function attemptOnce(
  post: Post,
  headers: Record<string, string>,
  settings: Settings,
  stopping: AbortSignal,
): Promise<number | string> {
  const at = new Date()
  const outcome = await fetch(post.url, {
    method: 'POST',
    headers,
    body: post.body,
    redirect: 'manual',
    signal: AbortSignal.any([stopping, AbortSignal.timeout(settings.retry.timeoutMs)]),
  }).then(
    async (response) => {
      await response.body?.cancel()
      return response.status
    },
    (error: unknown) => (error instanceof Error ? error.name : 'failed'),
  )
  post.attempts.push({ at, durationMs: Date.now() - at.getTime(), outcome })
  return outcome
}

function headersFor(body: string, settings: Settings, key: KeyObject): Record<string, string> {
  return {
    'content-type': 'application/json',
    ...(settings.signature === 'missing'
      ? {}
      : { 'X-GHL-Signature': sign(null, Buffer.from(body), key).toString('base64') }),
    ...(settings.legacySignatureHeader ? { 'X-WH-Signature': 'N/A' } : {}),
  }
}

function waitMs(retry: number, settings: Settings): number {
  const plain = Math.min(settings.retry.capMs, settings.retry.baseMs * 2 ** retry)
  return plain * (1 + Math.random() / 4)
}
