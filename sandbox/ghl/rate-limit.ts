/** GHL's limit: so many requests per interval and per day for each app in each location (or company). */
import type { Settings } from './settings.ts'

const DAY_MS = 86_400_000

interface Usage {
  intervalStartMs: number
  inInterval: number
  /** Only for the sliding window: when each counted request came. */
  recentMs: number[]
  dayStartMs: number
  today: number
}

export interface LimitAnswer {
  allowed: boolean
  headers: Record<string, string>
}

export interface RateLimiter {
  take(resourceId: string): LimitAnswer
  forget(): void
}

export function createRateLimiter(settings: Settings): RateLimiter {
  const usages = new Map<string, Usage>()
  return {
    take(resourceId) {
      const limit = settings.rateLimit
      if (!limit) return { allowed: true, headers: {} }
      const nowMs = Date.now()
      const usage = usages.get(resourceId) ?? {
        intervalStartMs: nowMs,
        inInterval: 0,
        recentMs: [],
        dayStartMs: nowMs,
        today: 0,
      }
      usages.set(resourceId, usage)
      rollOver(usage, nowMs, limit.intervalMs)

      const used = limit.window === 'fixed' ? usage.inInterval : usage.recentMs.length
      const allowed = used < limit.max && usage.today < limit.perDay
      if (allowed) {
        usage.inInterval++
        usage.today++
        if (limit.window === 'sliding') usage.recentMs.push(nowMs)
      }
      const remaining = Math.max(0, limit.max - used - (allowed ? 1 : 0))
      const headers = headersFor(limit, usage, remaining, nowMs)
      if (!allowed && limit.retryAfter) headers['Retry-After'] = String(waitSec(limit, usage, nowMs))
      return { allowed, headers }
    },
    forget: () => usages.clear(),
  }
}

function rollOver(usage: Usage, nowMs: number, intervalMs: number): void {
  if (nowMs - usage.intervalStartMs >= intervalMs) {
    usage.intervalStartMs = nowMs
    usage.inInterval = 0
  }
  if (nowMs - usage.dayStartMs >= DAY_MS) {
    usage.dayStartMs = nowMs
    usage.today = 0
  }
  while (usage.recentMs[0] !== undefined && nowMs - usage.recentMs[0] >= intervalMs) usage.recentMs.shift()
}

/** Whole seconds until a request may pass again. */
function waitSec(limit: NonNullable<Settings['rateLimit']>, usage: Usage, nowMs: number): number {
  const oldestMs = limit.window === 'fixed' ? usage.intervalStartMs : (usage.recentMs[0] ?? nowMs)
  const freeAtMs = usage.today >= limit.perDay ? usage.dayStartMs + DAY_MS : oldestMs + limit.intervalMs
  return Math.max(1, Math.ceil((freeAtMs - nowMs) / 1000))
}

function headersFor(
  limit: NonNullable<Settings['rateLimit']>,
  usage: Usage,
  remaining: number,
  nowMs: number,
): Record<string, string> {
  return {
    'X-RateLimit-Limit-Daily': String(limit.perDay),
    'X-RateLimit-Daily-Remaining': String(Math.max(0, limit.perDay - usage.today)),
    'X-RateLimit-Daily-Reset': String(usage.dayStartMs + DAY_MS - nowMs),
    'X-RateLimit-Interval-Milliseconds': String(limit.intervalMs),
    'X-RateLimit-Max': String(limit.max),
    'X-RateLimit-Remaining': String(remaining),
  }
}
