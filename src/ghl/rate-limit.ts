/**
 * GHL's limit per app and location (or company), kept so that it is used fully and never broken: a request takes one of
 * `max` places and gives it back one interval after GHL must have counted it: after its answer, or well after it left,
 * whichever is first. That holds for a server that counts fixed windows as well as for one that slides, whatever the
 * network delays; counting from the moment of sending would not.
 *
 * The limit begins at 100 per 10 s and follows the `X-RateLimit-*` headers. Places that other nodes take show in
 * `X-RateLimit-Remaining` and are left free; where GHL has said nothing for an interval, or has refused, one request at a
 * time goes ahead until it says. Waiting is first come first served, live traffic before sibling backends, these before
 * history, and nobody waits longer than his patience: a long block sends all away at once.
 * p-queue and its like know neither headers nor the moment of counting.
 *
 * The day has an allowance too: when only the reserve of it is left, all but live traffic is sent away until the next day begins, and
 * that goes on until GHL itself says that nothing is left.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Clock } from '../core/clock.ts'
import { GhlError } from '../core/errors.ts'
import { dailyResetMs, dailyWaitMs, numberIn, retryAfterMs } from './limit-headers.ts'

/** Messages; then what sibling backends ask for; then whatever can wait. */
export type Priority = 'live' | 'gateway' | 'history'

/** A place in the window. The first end counts, later ones are passed over. */
export interface Ticket {
  /** The first byte is about to be written. Until then the place is kept, however long a connection lets wait. */
  left(): void
  /** GHL answered, so it has counted the request. */
  answered(status: number, headers: IncomingHttpHeaders): void
  /** No answer. `left` says whether GHL may have counted the request all the same. */
  lost(left: boolean): void
}

export interface RateLimiter {
  /**
   * Resolves when it is this request's turn; rejects with the reason of `signal` when that fires first.
   *
   * @throws {GhlError} `GHL_RATE_LIMITED` as soon as the wait is known to be longer than a minute (of a sibling backend:
   * half a minute).
   */
  take(resourceId: string, priority: Priority, signal?: AbortSignal): Promise<Ticket>
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
/** A request that goes ahead to learn the limit and is not answered by then (a slow upload) is followed by the next. */
const SCOUT_MS = 1_000
/** Share of the places that everything else leaves to live traffic. */
const LIVE_SHARE = 0.1
/** Left to it when there was none for an interval: the calls of one first message with a file. */
const FIRST_MESSAGE = 3
/** Share of the day's requests that history leaves to live traffic. */
const LIVE_SHARE_OF_DAY = 0.1
/** Requests per day where GHL does not say. @see ghl.md 8. */
const USUAL_PER_DAY = 200_000
/** Where GHL does not say when the day ends. */
const DAY_LOOK_MS = 60 * 60_000
/**
 * GHL counts at its door, but may be slow to come to it. Share of the interval within which it has counted what has left;
 * only answers that take longer, of uploads above all, make this matter.
 */
const COUNTED_WITHIN = 0.3
/** The places of a burst come back one interval after its last answers, and are taken as one: share of the interval. */
const BURST_WITHIN = 0.1
/** The longest wait. A sibling backend has a caller of its own who waits for the answer. */
const PATIENCE_MS: Readonly<Record<Priority, number>> = { live: 60_000, gateway: 30_000, history: 60_000 }
/** Whom each one stands behind. */
const RANKS: readonly Priority[] = ['live', 'gateway', 'history']

export function createRateLimiter(clock: Clock): RateLimiter {
  const windows = new Map<string, Window>()
  return {
    take(resourceId, priority, signal) {
      const window = windows.get(resourceId) ?? new Window(clock)
      windows.set(resourceId, window)
      return window.take(priority, signal)
    },
    abandon: (resourceId) => windows.get(resourceId)?.abandon(),
    states: () => new Map([...windows].map(([resourceId, window]) => [resourceId, window.state()])),
  }
}

interface Waiting {
  readonly giveUpAtMs: number
  resolve(ticket: Ticket): void
  reject(error: GhlError): void
}

interface Place {
  readonly takenAtMs: number
  leftAtMs: number
  freeAtMs: number
  state: 'under_way' | 'answered' | 'lost'
}

class Window {
  readonly #clock: Clock
  #max = START.max
  #intervalMs = START.intervalMs
  /** When GHL last answered otherwise than with 429: for an interval it is known how many places are left. */
  #heardAtMs = Number.NEGATIVE_INFINITY
  /** No answer has come yet. */
  #isNew = true
  #liveAtMs = Number.NEGATIVE_INFINITY
  #blockedUntilMs = 0
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

  async take(priority: Priority, signal?: AbortSignal): Promise<Ticket> {
    signal?.throwIfAborted()
    const waitMs = this.#expectedWaitMs(priority)
    if (waitMs > PATIENCE_MS[priority]) throw usedUp(waitMs)
    const nowMs = this.#clock.nowMs()
    if (priority === 'live') this.#liveAtMs = nowMs
    const day = this.#today(nowMs)
    if (priority !== 'live' && day !== undefined && isReserve(day)) throw reserved(day.resetAtMs - nowMs)
    const { promise, resolve, reject } = Promise.withResolvers<Ticket>()
    const queue = this.#waiting[priority]
    const me: Waiting = { giveUpAtMs: nowMs + PATIENCE_MS[priority], resolve, reject }
    queue.push(me)
    const leave = () => {
      const at = queue.indexOf(me)
      if (at >= 0) queue.splice(at, 1)
      reject(signal?.reason as Error) // an abort reason is an Error throughout this program
    }
    signal?.addEventListener('abort', leave, { once: true })
    this.#admit()
    return await promise.finally(() => signal?.removeEventListener('abort', leave))
  }

  abandon(): void {
    this.#sendAway(
      RANKS,
      new GhlError('GHL_RATE_LIMITED', 'Another node makes the calls of this location now', {
        retryAfterMs: 0,
      }),
    )
    this.#admit()
  }

  #sendAway(priorities: readonly Priority[], error: GhlError): void {
    for (const priority of priorities)
      for (const { reject } of this.#waiting[priority].splice(0)) reject(error)
  }

  #queued(upTo: Priority = 'history'): number {
    return RANKS.slice(0, RANKS.indexOf(upTo) + 1).reduce((sum, rank) => sum + this.#waiting[rank].length, 0)
  }

  #today(nowMs: number) {
    return this.#day !== undefined && nowMs < this.#day.resetAtMs ? this.#day : undefined
  }

  #expectedWaitMs(priority: Priority): number {
    const blockedMs = Math.max(0, this.#blockedUntilMs - this.#clock.nowMs())
    return blockedMs + Math.floor(this.#queued(priority) / this.#max) * this.#intervalMs
  }

  #admit(): void {
    const nowMs = this.#clock.nowMs()
    for (const place of this.#places) if (place.freeAtMs <= nowMs) this.#places.delete(place)
    let next = this.#next(nowMs)
    while (next !== undefined) {
      next.resolve(this.#ticket(nowMs))
      next = this.#next(nowMs)
    }
    for (const priority of RANKS) this.#dismissImpatient(priority, nowMs)
    this.#setAlarm(nowMs)
  }

  #dismissImpatient(priority: Priority, nowMs: number): void {
    const queue = this.#waiting[priority]
    const patient = queue.findIndex(({ giveUpAtMs }) => giveUpAtMs > nowMs)
    const gone = queue.splice(0, patient < 0 ? queue.length : patient)
    const waitMs = Math.max(this.#intervalMs, this.#expectedWaitMs(priority))
    for (const { reject } of gone) reject(usedUp(waitMs))
  }

  #next(nowMs: number): Waiting | undefined {
    if (nowMs < this.#blockedUntilMs || this.#scoutUntilMs(nowMs) > nowMs) return undefined
    const free = this.#max - this.#places.size - (nowMs < this.#others.untilMs ? this.#others.count : 0)
    if (free <= 0) return undefined
    if (this.#waiting.live.length > 0) return this.#waiting.live.shift()
    if (free <= this.#leftToLive(nowMs)) return undefined
    return this.#waiting.gateway.shift() ?? this.#waiting.history.shift()
  }

  #leftToLive(nowMs: number): number {
    const share = Math.floor(this.#max * LIVE_SHARE)
    return nowMs - this.#liveAtMs < this.#intervalMs ? share : Math.min(share, FIRST_MESSAGE)
  }

  /** Until when those that went ahead are waited for; the past when nobody is. */
  #scoutUntilMs(nowMs: number): number {
    if (nowMs - this.#heardAtMs < this.#intervalMs * (1 + BURST_WITHIN)) return 0
    const ahead = [...this.#places].filter(({ state }) => state === 'under_way')
    const scouts = this.#isNew ? BLIND_REQUESTS : 1
    const last = ahead.toSorted((one, other) => other.takenAtMs - one.takenAtMs)[scouts - 1]
    return last === undefined ? 0 : last.takenAtMs + SCOUT_MS
  }

  #ticket(nowMs: number): Ticket {
    const place: Place = { takenAtMs: nowMs, leftAtMs: Infinity, freeAtMs: Infinity, state: 'under_way' }
    const latestMs = () => place.leftAtMs + this.#intervalMs * (1 + COUNTED_WITHIN)
    this.#places.add(place)
    return {
      left: () => {
        place.leftAtMs = this.#clock.nowMs()
        place.freeAtMs = latestMs()
        this.#setAlarm(place.leftAtMs)
      },
      answered: (status, headers) => {
        if (place.state !== 'under_way') return
        place.state = 'answered'
        // A token refused at the door comes without the limit's headers: it never got as far as being counted.
        const isCounted = status !== 401 || headers['x-ratelimit-remaining'] !== undefined
        this.#follow(status, headers)
        this.#isNew = false
        if (status === 429) this.#heardAtMs = Number.NEGATIVE_INFINITY
        else if (isCounted) this.#heardAtMs = this.#clock.nowMs()
        // The answer may have told of another interval than the one that the place was taken for.
        place.freeAtMs = isCounted ? Math.min(latestMs(), this.#clock.nowMs() + this.#intervalMs) : 0
        this.#admit()
      },
      lost: (left) => {
        if (place.state !== 'under_way') return
        place.state = 'lost'
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
    const blockedMs = this.#blockedUntilMs - nowMs
    this.#sendAway(
      RANKS.filter((priority) => blockedMs > PATIENCE_MS[priority]),
      usedUp(blockedMs),
    )
  }

  /**
   * What GHL has counted beyond our own answered places was somebody else's: another node's, or this one's before a
   * restart. While more of ours are under way that is too much rather than too little; their answers put it right.
   */
  #leaveToOthers(remaining: number | undefined, nowMs: number): void {
    if (remaining === undefined) return
    const ours = [...this.#places].filter(({ state }) => state === 'answered').length
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
    this.#sendAway(['gateway', 'history'], reserved(resetMs))
  }

  /** Answers admit the next by themselves; this is for the end of a wait and for the first place that falls free. */
  #setAlarm(nowMs: number): void {
    this.#alarm?.abort(new Error('rescheduled'))
    this.#alarm = undefined
    if (this.#queued() === 0) return
    const frees = [...this.#places].map((place) => place.freeAtMs)
    frees.push(this.#liveAtMs + this.#intervalMs)
    if (this.#others.count > 0) frees.push(this.#others.untilMs)
    const freeAtMs = Math.min(...frees.filter((endMs) => endMs > nowMs))
    const scoutMs = this.#scoutUntilMs(nowMs)
    const admitAtMs =
      this.#blockedUntilMs > nowMs
        ? this.#blockedUntilMs
        : Math.min(freeAtMs, scoutMs > nowMs ? scoutMs : Infinity)
    const giveUps = RANKS.flatMap((priority) => this.#waiting[priority][0]?.giveUpAtMs ?? [])
    const wakeAtMs = Math.min(admitAtMs, ...giveUps)
    const alarm = new AbortController()
    this.#alarm = alarm
    this.#clock.sleep(wakeAtMs - nowMs, alarm.signal).then(
      () => this.#admit(),
      () => undefined,
    )
  }
}

const isReserve = (day: { limit: number | undefined; remaining: number }): boolean =>
  day.remaining <= (day.limit ?? USUAL_PER_DAY) * LIVE_SHARE_OF_DAY

const usedUp = (retryAfterMs: number): GhlError =>
  new GhlError('GHL_RATE_LIMITED', 'GHL’s limit for this location is used up for now', { retryAfterMs })

const reserved = (retryAfterMs: number): GhlError =>
  new GhlError('GHL_RATE_LIMITED', 'What is left of GHL’s limit for today is kept for live messages', {
    retryAfterMs,
  })
