/**
 * GHL's limit per app and location (or company), kept so that it is used fully and never broken: a request takes one of
 * `max` places and gives it back one interval after GHL must have counted it. That holds for a server that counts fixed
 * windows as well as for one that slides, whatever the network delays; counting from the moment of sending would not.
 *
 * The limit begins at 100 per 10 s and follows the `X-RateLimit-*` headers. Places that other nodes take show in
 * `X-RateLimit-Remaining` and are left free. Waiting is first come first served, live traffic before sibling backends,
 * these before history.
 * p-queue and its like know neither headers nor the moment of counting.
 *
 * The day has an allowance too: when only the reserve of it is left, all but live traffic is sent away until the next day begins, and
 * that goes on until GHL itself says that nothing is left.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Clock } from '../core/clock.ts'
import { GhlError } from '../core/errors.ts'

/** Messages; then what sibling backends ask for; then whatever can wait. */
export type Priority = 'live' | 'gateway' | 'history'

/** A place in the window. The first end counts, later ones are passed over. */
export interface Ticket {
  /** GHL answered, so it has counted the request. */
  answered(status: number, headers: IncomingHttpHeaders): void
  /** No answer. `left` says whether GHL may have counted the request all the same. */
  lost(left: boolean): void
}

export interface RateLimiter {
  /**
   * Resolves when it is this request's turn.
   *
   * @throws {GhlError} `GHL_RATE_LIMITED` at once when the wait would be longer than a minute.
   */
  take(resourceId: string, priority: Priority): Promise<Ticket>
  /** Whoever waits for a turn gets `GHL_RATE_LIMITED` instead: nothing was sent. */
  abandon(resourceId: string): void
  states(): ReadonlyMap<string, LimitState>
}

/** The allowance of one location (or company) as it looks from here. */
export interface LimitState {
  readonly max: number
  readonly intervalMs: number
  /** Places taken now, by us and by others. */
  readonly used: number
  readonly waiting: Readonly<Record<Priority, number>>
  /** The end of a wait that GHL asked for, milliseconds since the epoch. */
  readonly blockedUntilMs: number | undefined
  /** Undefined until GHL has told. */
  readonly day:
    | {
        readonly limit: number | undefined
        readonly remaining: number
        readonly resetAtMs: number
        readonly isHistoryStopped: boolean
      }
    | undefined
}

const START = { max: 100, intervalMs: 10_000 }
/** Requests under way before the first answer has told the real limit: sandbox agencies have 25, not 100. */
const BLIND_REQUESTS = 10
/** Share of the places that everything else leaves to live traffic. */
const LIVE_SHARE = 0.1
/** Share of the day's requests that history leaves to live traffic. */
const LIVE_SHARE_OF_DAY = 0.1
/** Requests per day where GHL does not say. @see ghl.md 8. */
const USUAL_PER_DAY = 200_000
/** Where GHL does not say when the day ends. */
const DAY_LOOK_MS = 60 * 60_000
/** GHL counts at its door. An answer that takes longer than this share of the interval was counted long before. */
const COUNTED_WITHIN = 0.1
const MAX_WAIT_MS = 60_000

export function createRateLimiter(clock: Clock): RateLimiter {
  const windows = new Map<string, Window>()
  return {
    take(resourceId, priority) {
      const window = windows.get(resourceId) ?? new Window(clock)
      windows.set(resourceId, window)
      return window.take(priority)
    },
    abandon: (resourceId) => windows.get(resourceId)?.abandon(),
    states: () => new Map([...windows].map(([resourceId, window]) => [resourceId, window.state()])),
  }
}

interface Waiting {
  resolve(ticket: Ticket): void
  reject(error: GhlError): void
}

interface Place {
  freeAtMs: number
  isAnswered: boolean
}

class Window {
  readonly #clock: Clock
  #max = START.max
  #intervalMs = START.intervalMs
  #isKnown = false
  #blockedUntilMs = 0
  #underWay = 0
  /** Requests that GHL has counted and that were not ours, as of the latest answer. */
  #others = { count: 0, untilMs: 0 }
  #day: { limit: number | undefined; remaining: number; resetAtMs: number } | undefined
  readonly #places = new Set<Place>()
  readonly #waiting: Record<Priority, Waiting[]> = { live: [], gateway: [], history: [] }
  #alarm: AbortController | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  state(): LimitState {
    const nowMs = this.#clock.nowMs()
    const taken = [...this.#places].filter((place) => place.freeAtMs > nowMs).length
    const others = nowMs < this.#others.untilMs ? this.#others.count : 0
    const day = this.#today(nowMs)
    return {
      max: this.#max,
      intervalMs: this.#intervalMs,
      used: taken + others,
      waiting: {
        live: this.#waiting.live.length,
        gateway: this.#waiting.gateway.length,
        history: this.#waiting.history.length,
      },
      blockedUntilMs: this.#blockedUntilMs > nowMs ? this.#blockedUntilMs : undefined,
      day: day && { ...day, isHistoryStopped: isReserve(day) },
    }
  }

  take(priority: Priority): Promise<Ticket> {
    const waitMs = this.#expectedWaitMs()
    if (waitMs > MAX_WAIT_MS) {
      return Promise.reject(
        new GhlError('GHL_RATE_LIMITED', 'GHL’s limit for this location is used up for now', {
          retryAfterMs: waitMs,
        }),
      )
    }
    const nowMs = this.#clock.nowMs()
    const day = this.#today(nowMs)
    if (priority !== 'live' && day !== undefined && isReserve(day))
      return Promise.reject(reserved(day.resetAtMs - nowMs))
    return new Promise((resolve, reject) => {
      this.#waiting[priority].push({ resolve, reject })
      this.#admit()
    })
  }

  abandon(): void {
    for (const queue of Object.values(this.#waiting)) {
      for (const { reject } of queue.splice(0)) {
        reject(
          new GhlError('GHL_RATE_LIMITED', 'Another node makes the calls of this location now', {
            retryAfterMs: 0,
          }),
        )
      }
    }
    this.#admit()
  }

  #queued(): number {
    return Object.values(this.#waiting).reduce((sum, queue) => sum + queue.length, 0)
  }

  #today(nowMs: number) {
    return this.#day !== undefined && nowMs < this.#day.resetAtMs ? this.#day : undefined
  }

  #expectedWaitMs(): number {
    const queued = this.#queued()
    const blockedMs = Math.max(0, this.#blockedUntilMs - this.#clock.nowMs())
    return blockedMs + Math.floor(queued / this.#max) * this.#intervalMs
  }

  #admit(): void {
    const nowMs = this.#clock.nowMs()
    for (const place of this.#places) if (place.freeAtMs <= nowMs) this.#places.delete(place)
    let next = this.#next(nowMs)
    while (next !== undefined) {
      next.resolve(this.#ticket(nowMs))
      next = this.#next(nowMs)
    }
    this.#setAlarm(nowMs)
  }

  #next(nowMs: number): Waiting | undefined {
    if (nowMs < this.#blockedUntilMs) return undefined
    if (!this.#isKnown && this.#underWay >= BLIND_REQUESTS) return undefined
    const free = this.#max - this.#places.size - (nowMs < this.#others.untilMs ? this.#others.count : 0)
    if (free <= 0) return undefined
    if (this.#waiting.live.length > 0) return this.#waiting.live.shift()
    if (free <= Math.floor(this.#max * LIVE_SHARE)) return undefined
    return this.#waiting.gateway.shift() ?? this.#waiting.history.shift()
  }

  #ticket(nowMs: number): Ticket {
    const latestMs = () => nowMs + this.#intervalMs * (1 + COUNTED_WITHIN)
    const place = { freeAtMs: latestMs(), isAnswered: false }
    this.#places.add(place)
    this.#underWay++
    let isOpen = true
    return {
      answered: (status, headers) => {
        if (!isOpen) return
        isOpen = false
        this.#underWay--
        this.#isKnown = true
        place.isAnswered = true
        // A token refused at the door comes without the limit's headers: it never got as far as being counted.
        const isCounted = status !== 401 || headers['x-ratelimit-remaining'] !== undefined
        this.#follow(status, headers)
        // The answer may have told of another interval than the one that the place was taken for.
        place.freeAtMs = isCounted ? Math.min(latestMs(), this.#clock.nowMs() + this.#intervalMs) : 0
        this.#admit()
      },
      lost: (left) => {
        if (!isOpen) return
        isOpen = false
        this.#underWay--
        if (!left) this.#places.delete(place)
        this.#admit()
      },
    }
  }

  #follow(status: number, headers: IncomingHttpHeaders): void {
    const nowMs = this.#clock.nowMs()
    this.#max = Math.max(1, numberIn(headers, 'x-ratelimit-max') ?? this.#max)
    this.#intervalMs = Math.max(1, numberIn(headers, 'x-ratelimit-interval-milliseconds') ?? this.#intervalMs)
    this.#leaveToOthers(numberIn(headers, 'x-ratelimit-remaining'), nowMs)
    this.#followDay(headers, nowMs)
    const waitMs = status === 429 ? retryAfterMs(status, headers, nowMs) : dailyWaitMs(headers, nowMs)
    this.#blockedUntilMs = Math.max(this.#blockedUntilMs, nowMs + (waitMs ?? this.#intervalMs))
  }

  /**
   * What GHL has counted beyond our own answered places was somebody else's: another node's, or this one's before a
   * restart. While more of ours are under way that is too much rather than too little; their answers put it right.
   */
  #leaveToOthers(remaining: number | undefined, nowMs: number): void {
    if (remaining === undefined) return
    const ours = [...this.#places].filter((place) => place.isAnswered).length
    const count = Math.max(0, this.#max - remaining - ours)
    this.#others = { count, untilMs: nowMs + this.#intervalMs }
  }

  #followDay(headers: IncomingHttpHeaders, nowMs: number): void {
    const remaining = numberIn(headers, 'x-ratelimit-daily-remaining')
    if (remaining === undefined) return
    const resetMs = dailyResetMs(headers, nowMs) ?? DAY_LOOK_MS
    const limit = numberIn(headers, 'x-ratelimit-limit-daily')
    this.#day = { limit, remaining, resetAtMs: nowMs + resetMs }
    if (!isReserve(this.#day)) return
    for (const queue of [this.#waiting.gateway, this.#waiting.history])
      for (const { reject } of queue.splice(0)) reject(reserved(resetMs))
  }

  /** Answers admit the next by themselves; this is for the end of a block and for the first place that falls free. */
  #setAlarm(nowMs: number): void {
    this.#alarm?.abort(new Error('rescheduled'))
    this.#alarm = undefined
    if (this.#queued() === 0) return
    const ends = [...this.#places].map((place) => place.freeAtMs)
    if (this.#others.count > 0) ends.push(this.#others.untilMs)
    const freeAtMs = Math.min(...ends.filter((endMs) => endMs > nowMs))
    const wakeAtMs = this.#blockedUntilMs > nowMs ? this.#blockedUntilMs : freeAtMs
    // With no place taken there is nothing to wait for.
    if (!Number.isFinite(wakeAtMs)) return
    const alarm = new AbortController()
    this.#alarm = alarm
    this.#clock.sleep(wakeAtMs - nowMs, alarm.signal).then(
      () => this.#admit(),
      () => undefined,
    )
  }
}

function numberIn(headers: IncomingHttpHeaders, name: string): number | undefined {
  const value = headers[name]
  const parsed = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN
  return Number.isFinite(parsed) && parsed >= 0 ? parsed : undefined
}

const isReserve = (day: { limit: number | undefined; remaining: number }): boolean =>
  day.remaining <= (day.limit ?? USUAL_PER_DAY) * LIVE_SHARE_OF_DAY

const reserved = (retryAfterMs: number): GhlError =>
  new GhlError('GHL_RATE_LIMITED', 'What is left of GHL’s limit for today is kept for live messages', {
    retryAfterMs,
  })

/** How long until the next day begins: in milliseconds, as GHL's SDK reads it, or as a time. */
function dailyResetMs(headers: IncomingHttpHeaders, nowMs: number): number | undefined {
  const reset = numberIn(headers, 'x-ratelimit-daily-reset')
  return reset !== undefined && reset > nowMs / 2 ? reset - nowMs : reset
}

/** The wait when the day's allowance is used up. */
function dailyWaitMs(headers: IncomingHttpHeaders, nowMs: number): number {
  if (numberIn(headers, 'x-ratelimit-daily-remaining') !== 0) return 0
  return dailyResetMs(headers, nowMs) ?? 0
}

/** How long GHL asks us to stay away: `Retry-After`; after a 429 else the day's reset, else the interval. */
export function retryAfterMs(
  status: number,
  headers: IncomingHttpHeaders,
  nowMs: number,
): number | undefined {
  const seconds = numberIn(headers, 'retry-after')
  if (seconds !== undefined) return seconds * 1_000
  const dateMs = Date.parse(headers['retry-after'] ?? '')
  if (Number.isFinite(dateMs)) return Math.max(0, dateMs - nowMs)
  if (status !== 429) return undefined
  const daily = dailyWaitMs(headers, nowMs)
  return daily > 0 ? daily : numberIn(headers, 'x-ratelimit-interval-milliseconds')
}
