/** What GHL's answers tell of its limits, in milliseconds. No wait is longer than a day: what says more was misread. Pure. */
import type { IncomingHttpHeaders } from 'node:http'

const DAY_MS = 86_400_000

export function numberIn(headers: IncomingHttpHeaders, name: string): number | undefined {
  const value = headers[name]
  const parsed = typeof value === 'string' && value !== '' ? Number(value) : Number.NaN
  return Number.isFinite(parsed) && parsed >= 0 ? parsed : undefined
}

const withinDay = (ms: number): number => Math.min(Math.max(ms, 0), DAY_MS)

/** How long until the next day begins: in milliseconds, as GHL's SDK reads it, or as a time in milliseconds or seconds. */
export function dailyResetMs(headers: IncomingHttpHeaders, nowMs: number): number | undefined {
  const reset = numberIn(headers, 'x-ratelimit-daily-reset')
  if (reset === undefined || reset <= DAY_MS) return reset
  return withinDay((reset > nowMs / 2 ? reset : reset * 1_000) - nowMs)
}

/** The wait when the day's allowance is used up. */
export function dailyWaitMs(headers: IncomingHttpHeaders, nowMs: number): number {
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
  if (seconds !== undefined) return withinDay(seconds * 1_000)
  const dateMs = Date.parse(headers['retry-after'] ?? '')
  if (Number.isFinite(dateMs)) return withinDay(dateMs - nowMs)
  if (status !== 429) return undefined
  const daily = dailyWaitMs(headers, nowMs)
  return daily > 0 ? daily : numberIn(headers, 'x-ratelimit-interval-milliseconds')
}
